// SPDX-License-Identifier: GPL-2.0-only
/* Compares the deque with an array, over calls that the seed chooses. */
#include "deque.h"

static int values[100], count;

static void push(int left, int value)
{
	if (left)
		memmove(values + 1, values, count * sizeof(int));
	values[left ? 0 : count] = value;
	count++;
}

static int pop(int left)
{
	int value = values[left ? 0 : count - 1];

	count--;
	if (left)
		memmove(values, values + 1, count * sizeof(int));
	return value;
}

int main(void)
{
	int capacity = 1, deque = open_deque(capacity);

	srandom(atoi(getenv("CONTRACT_SEED")));
	for (int i = 0; i < 20000; i++) {
		int left = random() & 1, pushes = random() & 1, value = random(), seen = 0;

		if (random() % 500 == 0) {
			capacity = 1 + random() % 100;
			count = 0;
			if (ioctl(deque, DEQUE_CAPACITY, &capacity)) {
				perror("set the capacity again");
				return 1;
			}
		}
		if (pushes) {
			int error = ioctl(deque, left ? DEQUE_PUSH_LEFT : DEQUE_PUSH_RIGHT, &value);

			if ((error == 0) != (count < capacity)) {
				printf("a push with %d of %d values returned %d\n", count, capacity,
				       error);
				return 1;
			}
			if (!error)
				push(left, value);
		} else {
			int error = ioctl(deque, left ? DEQUE_POP_LEFT : DEQUE_POP_RIGHT, &seen);

			if ((error == 0) != (count > 0)) {
				printf("a pop with %d of %d values returned %d\n", count, capacity,
				       error);
				return 1;
			}
			if (!error && seen != (value = pop(left))) {
				printf("a pop brought %d, and not %d\n", seen, value);
				return 1;
			}
		}
	}
	return 0;
}
