// SPDX-License-Identifier: GPL-2.0-only
/* Stops the elevator while somebody is inside and somebody else waits. */
#include "elevator.h"

int main(void)
{
	struct shown now;

	start_elevator();
	issue_request(1, 3, 1);
	for (int i = 0; i < 10000 && look().inside == 0; i++)
		usleep(1000);
	issue_request(2, 5, 0);
	/* One floor takes longer than this. */
	if (stop_elevator() != 0)
		fail("stop_elevator did not return 0", 0);
	now = wait_for(1, "OFFLINE");
	if (strcmp(now.state, "OFFLINE"))
		fail("the elevator is not off; so many are inside", now.inside);
	if (now.serviced != 1 || now.inside != 0)
		fail("one was inside, and so many were served", now.serviced);
	if (now.waiting != 1)
		fail("one waits on floor 2, and the file says", now.waiting);
	if (stop_elevator() != 1)
		fail("stop_elevator of an elevator that is off did not return 1", 0);
	return 0;
}
