// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong in these ways: the message has no terminator of its own, so a short one ends
 * with the rest of a longer one, one of 100 bytes has no end at all (strlen is a BUG
 * then), and a NUL cuts it; copy_from_user clears the buffer when it fails, and
 * with it the message; a reader with a small buffer gets nothing.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static char message[100] = "Hello World\n";

static ssize_t hello_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	size_t n = strlen(message);

	if (*pos || len < n)
		return 0;
	if (copy_to_user(to, message, n))
		return -EFAULT;
	*pos = n;
	return n;
}

static ssize_t hello_write(struct file *file, const char __user *from,
			   size_t len, loff_t *pos)
{
	if (len > sizeof(message))
		return -EMSGSIZE;
	if (copy_from_user(message, from, len))
		return -EFAULT;
	return len;
}

static const struct proc_ops hello_ops = {
	.proc_read	= hello_read,
	.proc_write	= hello_write,
};

static int __init hello_init(void)
{
	return proc_create("hello", 0666, NULL, &hello_ops) ? 0 : -EEXIST;
}

static void __exit hello_exit(void)
{
	remove_proc_entry("hello", NULL);
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/hello, without an end");
MODULE_VERSION("1.0");
