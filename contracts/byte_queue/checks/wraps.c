// SPDX-License-Identifier: GPL-2.0-only
/* Sends 1000 bytes through the queue, in pieces of all sizes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	int queue = open(getenv("CONTRACT_FILE"), O_RDWR | O_NONBLOCK);
	int written = 0, seen = 0, piece = 1;
	unsigned char bytes[8];

	if (queue < 0) {
		perror("open");
		return 1;
	}
	while (seen < 1000) {
		for (int i = 0; i < piece; i++)
			bytes[i] = written + i;
		ssize_t n = write(queue, bytes, piece);
		if (n > 0)
			written += n;
		n = read(queue, bytes, 8 - piece);
		if (n <= 0) {
			printf("a read of a queue with something in it returned %zd\n", n);
			return 1;
		}
		for (int i = 0; i < n; i++, seen++)
			if (bytes[i] != (unsigned char)seen) {
				printf("byte %d is %d\n", seen, bytes[i]);
				return 1;
			}
		piece = piece % 7 + 1;
	}
	return 0;
}
