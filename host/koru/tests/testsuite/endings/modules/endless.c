// SPDX-License-Identifier: MIT OR Apache-2.0
/* Wrong: reads never return 0, and the writes of the file in /proc take nothing. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static const char text[] = "again and again\n";

/* Leaves the position where it is. */
static ssize_t same_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	size_t length = min(size, sizeof(text) - 1);

	return copy_to_user(to, text, length) ? -EFAULT : length;
}

static ssize_t next_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	ssize_t length = same_read(file, to, size, pos);

	if (length > 0)
		*pos += length;
	return length;
}

static ssize_t none_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	return 0;
}

static const struct proc_ops in_proc = {
	.proc_read = same_read,
	.proc_write = none_write,
};

static const struct file_operations in_dev = {
	.owner = THIS_MODULE,
	.read = next_read,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "endless",
	.fops = &in_dev,
};

static int __init endless_init(void)
{
	if (!proc_create("endless", 0666, NULL, &in_proc))
		return -ENOMEM;
	return misc_register(&device);
}

static void __exit endless_exit(void)
{
	misc_deregister(&device);
	remove_proc_entry("endless", NULL);
}

module_init(endless_init);
module_exit(endless_exit);

MODULE_LICENSE("GPL");
