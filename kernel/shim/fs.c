// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>

#include "shim.h"

unsigned int koru_file_flags(const struct file *file)
{
	return READ_ONCE(file->f_flags);
}

long long koru_file_pos(const struct file *file)
{
	return READ_ONCE(file->f_pos);
}

/* Checks the position, and lets the other users of the file know that it moved. */
long long koru_file_set_pos(struct file *file, long long pos)
{
	return vfs_setpos(file, pos, LLONG_MAX);
}
