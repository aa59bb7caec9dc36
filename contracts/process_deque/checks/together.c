// SPDX-License-Identifier: GPL-2.0-only
/* Threads of several processes push and pop at once. What comes out is what went in. */
#include <pthread.h>

#include "deque.h"

#define PROCESSES 3
#define THREADS 4
#define CALLS 3000
/* Less than the threads, so that the deque is full at times. */
#define CAPACITY 3

static int deque;
static long long in[THREADS], out[THREADS];

static void *calls(void *argument)
{
	long me = (long)argument;
	unsigned int seed = me + 1;

	for (int i = 0; i < CALLS; i++) {
		int value = me * CALLS + i + 1, left = rand_r(&seed) & 1;

		if (ioctl(deque, left ? DEQUE_PUSH_LEFT : DEQUE_PUSH_RIGHT, &value) == 0)
			in[me] += value;
		left = rand_r(&seed) & 1;
		if (ioctl(deque, left ? DEQUE_POP_LEFT : DEQUE_POP_RIGHT, &value) == 0)
			out[me] += value;
	}
	return NULL;
}

static int process(void)
{
	pthread_t threads[THREADS];
	long long sum = 0, moved = 0;
	int value;

	deque = open_deque(CAPACITY);
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, calls, (void *)i)) {
			puts("no thread");
			return 1;
		}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += in[i] - out[i];
		moved += out[i];
	}
	for (int i = 0; i < CAPACITY && ioctl(deque, DEQUE_POP_LEFT, &value) == 0; i++)
		sum -= value;
	if (sum)
		printf("the sums of what went in and what came out differ by %lld\n", sum);
	if (!moved)
		puts("no thread could push and pop");
	return sum != 0 || !moved;
}

int main(void)
{
	int status, wrong = 0;

	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			exit(process());
	while (wait(&status) > 0)
		wrong |= status;
	return wrong != 0;
}
