// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: a read does not hold the lock while it copies, so two may take the same bytes. */
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

static unsigned int size = 16;
module_param(size, uint, 0444);

static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(changed);
static unsigned char *bytes;
static unsigned int first, count;

/* Locks the queue when it is neither empty (for a read) nor full (for a write). */
static int lock_when(struct file *file, bool reads)
{
	for (;;) {
		if (mutex_lock_interruptible(&lock))
			return -ERESTARTSYS;
		if (reads ? count : count < size)
			return 0;
		mutex_unlock(&lock);
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(changed, reads ? READ_ONCE(count) :
							READ_ONCE(count) < size))
			return -ERESTARTSYS;
	}
}

static ssize_t queue_read(struct file *file, char __user *to, size_t length, loff_t *pos)
{
	size_t done, part;
	unsigned int begin;
	int error;

	if (!length)
		return 0;
	error = lock_when(file, true);
	if (error)
		return error;
	length = min_t(size_t, length, count);
	begin = first;
	mutex_unlock(&lock);
	for (done = 0; done < length; done += part) {
		part = min_t(size_t, length - done, size - begin);
		if (copy_to_user(to + done, bytes + begin, part)) {
			error = -EFAULT;
			break;
		}
		begin = (begin + part) % size;
	}
	usleep_range(500, 1000);
	mutex_lock(&lock);
	first = begin;
	count -= min_t(size_t, done, count);
	mutex_unlock(&lock);
	wake_up_interruptible(&changed);
	return done ? done : error;
}

static ssize_t queue_write(struct file *file, const char __user *from, size_t length,
			   loff_t *pos)
{
	size_t done, part;
	unsigned int end;
	int error;

	if (!length)
		return 0;
	error = lock_when(file, false);
	if (error)
		return error;
	length = min_t(size_t, length, size - count);
	for (done = 0; done < length; done += part) {
		end = (first + count) % size;
		part = min_t(size_t, length - done, size - end);
		if (copy_from_user(bytes + end, from + done, part)) {
			error = -EFAULT;
			break;
		}
		count += part;
	}
	mutex_unlock(&lock);
	wake_up_interruptible(&changed);
	return done ? done : error;
}

static long queue_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	int now;

	switch (command) {
	case _IOR('q', 1, int):
		now = READ_ONCE(count);
		return put_user(now, (int __user *)argument);
	case _IO('q', 2):
		if (mutex_lock_interruptible(&lock))
			return -ERESTARTSYS;
		first = count = 0;
		mutex_unlock(&lock);
		wake_up_interruptible(&changed);
		return 0;
	}
	return -ENOTTY;
}

static __poll_t queue_poll(struct file *file, poll_table *table)
{
	__poll_t ready = 0;
	unsigned int now;

	poll_wait(file, &changed, table);
	now = READ_ONCE(count);
	if (now)
		ready |= EPOLLIN | EPOLLRDNORM;
	if (now < size)
		ready |= EPOLLOUT | EPOLLWRNORM;
	return ready;
}

static const struct file_operations queue_ops = {
	.owner		= THIS_MODULE,
	.read		= queue_read,
	.write		= queue_write,
	.unlocked_ioctl	= queue_ioctl,
	.poll		= queue_poll,
	.llseek		= noop_llseek,
};

static struct miscdevice queue_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "byte_queue",
	.fops	= &queue_ops,
	.mode	= 0666,
};

static int __init queue_init(void)
{
	int error;

	if (!size || size > SZ_1M)
		return -EINVAL;
	bytes = kmalloc(size, GFP_KERNEL);
	if (!bytes)
		return -ENOMEM;
	error = misc_register(&queue_device);
	if (error)
		kfree(bytes);
	return error;
}

static void __exit queue_exit(void)
{
	misc_deregister(&queue_device);
	kfree(bytes);
}

module_init(queue_init);
module_exit(queue_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A circular queue behind a device");
