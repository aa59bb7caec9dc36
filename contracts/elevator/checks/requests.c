// SPDX-License-Identifier: GPL-2.0-only
/* Asks for what is wrong and what is right while the elevator is off. */
#include "elevator.h"

int main(void)
{
	static const int wrong[][3] = {
		{ 0, 1, 0 }, { 6, 1, 0 }, { 1, 0, 0 }, { 1, 6, 0 }, { -1, 2, 1 },
		{ 2, 2, 1 }, { 1, 2, -1 }, { 1, 2, 4 },
	};

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (issue_request(wrong[i][0], wrong[i][1], wrong[i][2]) != 1)
			fail("issue_request did not return 1 for the wrong request", i);
	for (int type = 0; type < 4; type++)
		if (issue_request(1 + type, 5 - type + (type == 2), type) != 0)
			fail("issue_request did not return 0 for the type", type);
	if (look().waiting != 4)
		fail("4 people wait, and the file says", look().waiting);
	return 0;
}
