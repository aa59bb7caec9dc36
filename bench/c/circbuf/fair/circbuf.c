// SPDX-License-Identifier: GPL-2.0-only
/* /dev/circbuf with the whole contract of the Rust module. */
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MAX_SIZE (1 << 20)

static unsigned long size = 4096;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "The ring's size in bytes: 1 to 1048576");

static DEFINE_MUTEX(lock);
static unsigned char *ring;

/*
 * Copying from or to a process may fail, or wait for a page for any time. So
 * everything passes through a buffer, and the ring is locked only in between.
 */
static ssize_t circbuf_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	size_t start = *pos % size, part;
	ssize_t result;
	unsigned char *bytes;

	len = min(len, size);
	if (!len)
		return 0;
	bytes = kvmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!bytes)
		return -ENOMEM;
	mutex_lock(&lock);
	part = min(len, size - start);
	memcpy(bytes, ring + start, part);
	memcpy(bytes + part, ring, len - part);
	mutex_unlock(&lock);
	result = len;
	if (copy_to_user(to, bytes, len))
		result = -EFAULT;
	else
		*pos = (start + len) % size;
	kvfree(bytes);
	return result;
}

/* Fetches `len` bytes, of which the last ones stay: as many as the ring has. */
static ssize_t fetch(unsigned char *bytes, size_t room,
		     const char __user *from, size_t len)
{
	size_t taken = 0, part, keep;

	while (taken < len) {
		if (taken && signal_pending(current))
			break;
		part = min(len - taken, room - size);
		keep = min(taken, (size_t)size);
		/* What was fetched before is at the front. */
		if (copy_from_user(bytes + keep, from + taken, part))
			return -EFAULT;
		taken += part;
		if (keep + part > size)
			memmove(bytes, bytes + keep + part - size, size);
		cond_resched();
	}
	return taken;
}

static ssize_t circbuf_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	size_t start = *pos % size, stays, part;
	size_t room = len <= size ? len : size + max(size, PAGE_SIZE);
	ssize_t taken = len;
	unsigned char *bytes;

	if (!len)
		return 0;
	bytes = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	if (!bytes)
		return -ENOMEM;
	if (len > size)
		taken = fetch(bytes, room, from, len);
	else if (copy_from_user(bytes, from, len))
		taken = -EFAULT;
	if (taken < 0)
		goto out;
	stays = min_t(size_t, taken, size);
	mutex_lock(&lock);
	start = (start + (taken - stays)) % size;
	part = min(stays, size - start);
	memcpy(ring + start, bytes, part);
	memcpy(ring, bytes + part, stays - part);
	*pos = (start + stays) % size;
	mutex_unlock(&lock);
out:
	kvfree(bytes);
	return taken;
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
