// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.7, an inode has no `i_mutex`

#include <linux/module.h>
#include <linux/fs.h>

void lock(struct inode *inode)
{
	mutex_lock(&inode->i_mutex);
}

static int __init old_init(void)
{
	return 0;
}

static void __exit old_exit(void)
{
}

module_init(old_init);
module_exit(old_exit);
MODULE_LICENSE("GPL");
