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

/* Checks the position, and tells the other users of the file that it moved. */
long long koru_file_set_pos(void *file, long long pos)
{
	return vfs_setpos(file, pos, LLONG_MAX);
}

void *koru_file_private(const void *file)
{
	return ((const struct file *)file)->private_data;
}

void koru_file_set_private(void *file, void *data)
{
	((struct file *)file)->private_data = data;
}

void *koru_kiocb_file(const void *kiocb)
{
	return ((const struct kiocb *)kiocb)->ki_filp;
}

long long *koru_kiocb_pos(void *kiocb)
{
	return &((struct kiocb *)kiocb)->ki_pos;
}
