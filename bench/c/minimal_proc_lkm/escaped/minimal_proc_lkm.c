// SPDX-License-Identifier: GPL-2.0-only
/* /proc/minimal_proc_lkm with printk's own escaping, which spares no UTF-8. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MAX_LEN 200

static ssize_t minimal_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	char *text;

	len = min_t(size_t, len, MAX_LEN);
	text = kmalloc(len, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (copy_from_user(text, from, len)) {
		kfree(text);
		return -EFAULT;
	}
	pr_info("%*pE\n", (int)len, text);
	kfree(text);
	return len;
}

static const struct proc_ops minimal_ops = {
	.proc_write	= minimal_write,
};

static int __init minimal_init(void)
{
	return proc_create("minimal_proc_lkm", 0666, NULL, &minimal_ops) ?
		0 : -ENOMEM;
}

static void __exit minimal_exit(void)
{
	remove_proc_entry("minimal_proc_lkm", NULL);
}

module_init(minimal_init);
module_exit(minimal_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/minimal_proc_lkm: each write becomes one record of the kernel log");
MODULE_VERSION("1.0");
