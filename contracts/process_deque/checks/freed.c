// SPDX-License-Identifier: GPL-2.0-only
/* Opens the device very often, and looks at the memory that the kernel cannot reclaim. */
#include "deque.h"

#define TIMES 20000
#define PROCESSES 200
/* Less than the integers of all deques need, and more than the kernel's own use varies by. */
#define MOST_KB 4000

static long kilobytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long found = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld", &found) == 1)
			break;
	if (file)
		fclose(file);
	return found;
}

int main(void)
{
	long before;

	close(open_deque(100));
	before = kilobytes();
	for (int i = 0; i < TIMES; i++)
		close(open_deque(100));
	if (kilobytes() - before > MOST_KB) {
		puts("memory is missing after the device was closed");
		return 1;
	}
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			open_deque(100);
			_exit(0);
		}
		wait(NULL);
	}
	if (open(getenv("CONTRACT_FILE"), O_RDWR) < 0) {
		perror("open after other processes have ended");
		return 1;
	}
	return 0;
}
