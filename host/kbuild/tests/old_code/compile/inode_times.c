// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.6, an inode's `i_ctime` is read and set by functions
// on 6.12: since Linux 6.7, an inode's `i_mtime` and `i_atime`

#include <linux/module.h>
#include <linux/fs.h>

void touch(struct inode *inode)
{
	inode->i_mtime = inode->i_atime = current_time(inode);
	inode->i_ctime = current_time(inode);
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
