// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.19, a `struct file` has no `f_dentry`
// rewritten: compiles

#include <linux/module.h>
#include <linux/fs.h>

struct inode *inode_of(struct file *filp)
{
	return filp->f_dentry->d_inode;
}

const unsigned char *name_of(struct file *filp)
{
	return filp->f_dentry->d_name.name;
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
