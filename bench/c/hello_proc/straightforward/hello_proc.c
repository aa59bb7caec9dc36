// SPDX-License-Identifier: GPL-2.0-only
/* /proc/hello as a lab writes it: one buffer, no lock, no terminator. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

#define MAX_LEN 100

static char message[MAX_LEN] = "Hello World\n";
static size_t message_len = 12;

static ssize_t hello_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	return simple_read_from_buffer(to, len, pos, message, message_len);
}

static ssize_t hello_write(struct file *file, const char __user *from,
			   size_t len, loff_t *pos)
{
	if (len > MAX_LEN)
		return -EMSGSIZE;
	if (copy_from_user(message, from, len))
		return -EFAULT;
	message_len = len;
	return len;
}

static const struct proc_ops hello_ops = {
	.proc_read	= hello_read,
	.proc_write	= hello_write,
	.proc_lseek	= default_llseek,
};

static int __init hello_init(void)
{
	return proc_create("hello", 0666, NULL, &hello_ops) ? 0 : -ENOMEM;
}

static void __exit hello_exit(void)
{
	remove_proc_entry("hello", NULL);
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/hello: says hello, or what was last written");
MODULE_VERSION("1.0");
