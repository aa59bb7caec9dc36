// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: the pointer that a process gives is followed as if it were the kernel's. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/proc_fs.h>

static int capacity;

static int full_ex_open(struct inode *inode, struct file *file)
{
	capacity = 0;
	return 0;
}

static ssize_t full_ex_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	const char *bytes = (const char __force *)from;

	if (!capacity) {
		if (len != 1 || READ_ONCE(bytes[0]) < 1)
			return -EINVAL;
		capacity = bytes[0];
	}
	return len;
}

static ssize_t full_ex_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	return -EACCES;
}

static const struct proc_ops full_ex_ops = {
	.proc_open	= full_ex_open,
	.proc_read	= full_ex_read,
	.proc_write	= full_ex_write,
};

static int __init full_ex_init(void)
{
	return proc_create("full_ex", 0666, NULL, &full_ex_ops) ? 0 : -EEXIST;
}

static void __exit full_ex_exit(void)
{
	remove_proc_entry("full_ex", NULL);
}

module_init(full_ex_init);
module_exit(full_ex_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/full_ex, naive");
MODULE_VERSION("1.0");
