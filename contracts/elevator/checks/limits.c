// SPDX-License-Identifier: GPL-2.0-only
/* Watches how much is inside while many want to go. */
#include "elevator.h"

int main(void)
{
	struct shown now;
	int most = 0;

	/* Light people first, of whom too many would fit by weight, then heavy ones. */
	for (int i = 0; i < 8; i++)
		issue_request(1, 5, 0);
	for (int i = 0; i < 4; i++)
		issue_request(5, 1, 3);
	start_elevator();
	for (int i = 0; i < 30000; i++) {
		now = look();
		if (now.inside > 5)
			fail("so many people were inside", now.inside);
		if (now.load > 700)
			fail("the load in lbs was", now.load);
		if (now.inside > most)
			most = now.inside;
		if (now.serviced == 12)
			return 0;
		usleep(1000);
	}
	fail("of 12 people, so many were served", now.serviced);
}
