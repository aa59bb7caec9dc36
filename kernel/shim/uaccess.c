// SPDX-License-Identifier: GPL-2.0-only
#include <linux/uaccess.h>

#include "shim.h"

unsigned long koru_copy_from_user(void *to, unsigned long from, unsigned long len)
{
	return copy_from_user(to, (const void __user *)from, len);
}

unsigned long koru_copy_to_user(unsigned long to, const void *from, unsigned long len)
{
	return copy_to_user((void __user *)to, from, len);
}

long koru_strncpy_from_user(char *to, unsigned long from, long len)
{
	return strncpy_from_user(to, (const char __user *)from, len);
}
