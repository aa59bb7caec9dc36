// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 2.6.36, the member `ioctl` is gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/fs.h>

static int my_ioctl(struct inode *inode, struct file *file, unsigned int cmd, unsigned long arg)
{
	return -ENOTTY;
}

const struct file_operations my_fops = {
	.owner = THIS_MODULE,
	.ioctl = my_ioctl,
};

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
