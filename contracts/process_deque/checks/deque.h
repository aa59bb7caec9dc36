/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls of the deque. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct deque_info {
	int count, capacity;
};

#define DEQUE_CAPACITY   _IOW('d', 1, int)
#define DEQUE_PUSH_LEFT  _IOW('d', 2, int)
#define DEQUE_PUSH_RIGHT _IOW('d', 3, int)
#define DEQUE_POP_LEFT   _IOR('d', 4, int)
#define DEQUE_POP_RIGHT  _IOR('d', 5, int)
#define DEQUE_INFO       _IOR('d', 6, struct deque_info)

/* Opens the device and sets the capacity. */
static inline int open_deque(int capacity)
{
	int deque = open(getenv("CONTRACT_FILE"), O_RDWR);

	if (deque < 0 || ioctl(deque, DEQUE_CAPACITY, &capacity)) {
		perror("open, and set the capacity");
		exit(1);
	}
	return deque;
}
