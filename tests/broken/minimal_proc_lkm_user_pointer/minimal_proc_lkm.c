// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: it has the kernel print straight from the pointer of a process. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static ssize_t minimal_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	printk(KERN_INFO "%s\n", (const char __force *)from);
	return len;
}

static const struct proc_ops minimal_ops = {
	.proc_write = minimal_write,
};

static int __init minimal_init(void)
{
	if (!proc_create("minimal_proc_lkm", 0666, NULL, &minimal_ops))
		return -EEXIST;
	return 0;
}

static void __exit minimal_exit(void)
{
	remove_proc_entry("minimal_proc_lkm", NULL);
}

module_init(minimal_init);
module_exit(minimal_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/minimal_proc_lkm, wrong");
MODULE_VERSION("1.0");
