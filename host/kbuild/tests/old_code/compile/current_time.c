// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.12, `CURRENT_TIME` is gone

#include <linux/module.h>
#include <linux/fs.h>

void touch(struct inode *inode)
{
	inode->i_private = &CURRENT_TIME;
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
