// SPDX-License-Identifier: GPL-2.0-only
#include <linux/gcd.h>

#include "shim.h"

unsigned long koru_gcd(unsigned long a, unsigned long b)
{
	return gcd(a, b);
}
