// SPDX-License-Identifier: GPL-2.0-only
/* Leaves somebody inside and somebody on a floor. */
#include "elevator.h"

int main(void)
{
	start_elevator();
	issue_request(1, 3, 1);
	for (int i = 0; i < 10000 && look().inside == 0; i++)
		usleep(1000);
	issue_request(2, 5, 0);
	return look().waiting != 1;
}
