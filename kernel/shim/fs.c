// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>

#include "shim.h"

unsigned int koru_file_flags(const void *file)
{
	return READ_ONCE(((const struct file *)file)->f_flags);
}

long long koru_file_pos(const void *file)
{
	return READ_ONCE(((const struct file *)file)->f_pos);
}
