// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong in these ways: control characters and other bytes go into the log as they
 * are, so that a process writes records of its own making; no newline ends a record;
 * and what is too long is lost without a word.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static ssize_t minimal_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	char text[256];
	size_t n = min(len, sizeof(text) - 1);

	if (copy_from_user(text, from, n))
		return -EFAULT;
	text[n] = 0;
	printk(KERN_INFO "%s", text);
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
