// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.6, the members of a `struct proc_ops` are called
// on all: since Linux 5.6, a `struct proc_ops` has no `owner`
// rewritten: compiles

#include <linux/module.h>
#include <linux/proc_fs.h>

static ssize_t my_read(struct file *f, char __user *to, size_t n, loff_t *pos) { return 0; }

const struct proc_ops ops = {
	.owner = THIS_MODULE,
	.read = my_read,
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
