// SPDX-License-Identifier: GPL-2.0-only
/* /dev/circbuf as a lab writes it: copies to and from the ring itself. */
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MAX_SIZE (1 << 20)

static unsigned long size = 4096;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "The ring's size in bytes: 1 to 1048576");

static DEFINE_MUTEX(lock);
static unsigned char *ring;

static ssize_t circbuf_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	size_t start, part;
	ssize_t result = -EFAULT;

	len = min(len, size);
	mutex_lock(&lock);
	start = *pos % size;
	part = min(len, size - start);
	if (copy_to_user(to, ring + start, part))
		goto out;
	if (len > part && copy_to_user(to + part, ring, len - part))
		goto out;
	*pos = (start + len) % size;
	result = len;
out:
	mutex_unlock(&lock);
	return result;
}

static ssize_t circbuf_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	size_t start, part, left = len;
	ssize_t result = -EFAULT;

	mutex_lock(&lock);
	start = *pos % size;
	while (left) {
		part = min(left, size - start);
		if (copy_from_user(ring + start, from, part))
			goto out;
		from += part;
		left -= part;
		start = (start + part) % size;
	}
	*pos = start;
	result = len;
out:
	mutex_unlock(&lock);
	return result;
}

static loff_t circbuf_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, size);
}

static const struct file_operations circbuf_ops = {
	.owner		= THIS_MODULE,
	.read		= circbuf_read,
	.write		= circbuf_write,
	.llseek		= circbuf_llseek,
};

static struct miscdevice circbuf_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "circbuf",
	.fops	= &circbuf_ops,
	.mode	= 0600,
};

static int __init circbuf_init(void)
{
	unsigned long i;
	int err;

	if (size < 1 || size > MAX_SIZE) {
		pr_err("size is 1 to %d, not %lu\n", MAX_SIZE, size);
		return -EINVAL;
	}
	ring = kvmalloc(size, GFP_KERNEL);
	if (!ring)
		return -ENOMEM;
	for (i = 0; i < size; i++)
		ring[i] = i;
	err = misc_register(&circbuf_device);
	if (err)
		kvfree(ring);
	return err;
}

static void __exit circbuf_exit(void)
{
	misc_deregister(&circbuf_device);
	kvfree(ring);
}

module_init(circbuf_init);
module_exit(circbuf_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/dev/circbuf: a ring of bytes");
MODULE_VERSION("1.0");
