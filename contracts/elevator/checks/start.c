// SPDX-License-Identifier: GPL-2.0-only
/* Turns the elevator on twice. */
#include "elevator.h"

int main(void)
{
	if (start_elevator() != 0)
		fail("the first start_elevator returned", -1);
	if (strcmp(wait_for(0, "IDLE").state, "IDLE"))
		fail("the state after start_elevator is not IDLE", 0);
	if (start_elevator() != 1)
		fail("the second start_elevator did not return 1", 0);
	return 0;
}
