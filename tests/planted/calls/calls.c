// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: certain calls use memory behind the buffer, if that is chosen. */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define SIZE 64
#define MAGIC 0x4b4f5255

static char *fault = "none";
module_param(fault, charp, 0444);

static char *buffer;
static size_t place = SIZE;

static bool chosen(const char *name)
{
	return !strcmp(fault, name);
}

static ssize_t calls_write(struct file *file, const char __user *from, size_t n, loff_t *at)
{
	if (n > SIZE && !chosen("length"))
		return -EFBIG;
	if (copy_from_user(buffer, from, n))
		return -EFAULT;
	return n;
}

static long calls_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	u32 value;

	if (number != _IOW('K', 1, u32))
		return -ENOTTY;
	if (copy_from_user(&value, (void __user *)argument, sizeof(value)))
		return -EFAULT;
	if (value != MAGIC)
		return -EINVAL;
	if (chosen("magic"))
		WRITE_ONCE(buffer[place], 'x');
	return 0;
}

static const struct proc_ops calls_ops = {
	.proc_write = calls_write,
	.proc_ioctl = calls_ioctl,
};

static int __init calls_init(void)
{
	buffer = kmalloc(SIZE, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	if (!proc_create("calls", 0600, NULL, &calls_ops)) {
		kfree(buffer);
		return -ENOMEM;
	}
	return 0;
}

static void __exit calls_exit(void)
{
	remove_proc_entry("calls", NULL);
	kfree(buffer);
}

module_init(calls_init);
module_exit(calls_exit);
MODULE_DESCRIPTION("Uses memory wrongly in certain calls");
MODULE_LICENSE("GPL");
