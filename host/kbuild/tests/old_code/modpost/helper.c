// SPDX-License-Identifier: MIT OR Apache-2.0
// not a module

int helper_of_good(void)
{
	return 1;
}
