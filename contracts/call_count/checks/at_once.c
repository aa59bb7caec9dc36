// SPDX-License-Identifier: GPL-2.0-only
/* Several processes call a function, which must be counted every time. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 4
#define CALLS 5000

static long counted(void)
{
	FILE *file = fopen(getenv("CONTRACT_FILE"), "r");
	long count = -1;

	if (!file || fscanf(file, "%*[^:]: %ld", &count) != 1)
		puts("the file has another form");
	if (file)
		fclose(file);
	return count;
}

int main(void)
{
	long before = counted(), calls;

	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			for (int n = 0; n < CALLS; n++)
				syscall(SYS_getppid);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	/* Other processes may have called it as well. */
	calls = counted() - before;
	if (before < 0 || calls < PROCESSES * CALLS || calls > PROCESSES * CALLS + 1000) {
		printf("of %d calls, %ld were counted\n", PROCESSES * CALLS, calls);
		return 1;
	}
	return 0;
}
