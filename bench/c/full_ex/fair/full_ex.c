// SPDX-License-Identifier: GPL-2.0-only
/* /proc/full_ex with the whole contract of the Rust module. */
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MOST 100

/* One open file. */
struct deque {
	struct list_head list;
	struct pid *owner;
	struct mutex lock;
	unsigned char capacity;
	unsigned char count;
	int values[MOST];
};

static LIST_HEAD(deques);
static DEFINE_MUTEX(deques_lock);

static bool is_owner(const struct deque *d)
{
	return task_tgid(current) == d->owner;
}

static int full_ex_open(struct inode *inode, struct file *file)
{
	struct deque *d, *other;

	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return -ENOMEM;
	mutex_init(&d->lock);
	mutex_lock(&deques_lock);
	list_for_each_entry(other, &deques, list) {
		if (is_owner(other)) {
			mutex_unlock(&deques_lock);
			kfree(d);
			return -EACCES;
		}
	}
	d->owner = get_pid(task_tgid(current));
	list_add(&d->list, &deques);
	mutex_unlock(&deques_lock);
	file->private_data = d;
	return 0;
}

static int full_ex_release(struct inode *inode, struct file *file)
{
	struct deque *d = file->private_data;

	mutex_lock(&deques_lock);
	list_del(&d->list);
	mutex_unlock(&deques_lock);
	put_pid(d->owner);
	kfree(d);
	return 0;
}

static ssize_t set_capacity(struct deque *d, const char __user *from, size_t len)
{
	unsigned char capacity;

	if (len != 1)
		return -EINVAL;
	if (get_user(capacity, (const unsigned char __user *)from))
		return -EFAULT;
	if (capacity < 1 || capacity > MOST)
		return -EINVAL;
	d->capacity = capacity;
	return 1;
}

static ssize_t push(struct deque *d, const char __user *from, size_t len)
{
	int value;

	if (len != sizeof(value))
		return -EINVAL;
	if (copy_from_user(&value, from, sizeof(value)))
		return -EFAULT;
	if (d->count == d->capacity)
		return -EACCES;
	if (value & 1) {
		memmove(d->values + 1, d->values, d->count * sizeof(value));
		d->values[0] = value;
	} else {
		d->values[d->count] = value;
	}
	d->count++;
	return sizeof(value);
}

static ssize_t take(struct deque *d, char __user *to, size_t len)
{
	if (len < sizeof(int))
		return -EINVAL;
	if (!d->count)
		return -EACCES;
	if (copy_to_user(to, d->values, sizeof(int)))
		return -EFAULT;
	d->count--;
	memmove(d->values, d->values + 1, d->count * sizeof(int));
	return sizeof(int);
}

static ssize_t full_ex_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	struct deque *d = file->private_data;
	ssize_t result;

	if (!is_owner(d))
		return -EACCES;
	mutex_lock(&d->lock);
	result = d->capacity ? push(d, from, len) : set_capacity(d, from, len);
	mutex_unlock(&d->lock);
	return result;
}

static ssize_t full_ex_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	struct deque *d = file->private_data;
	ssize_t result;

	if (!is_owner(d))
		return -EACCES;
	mutex_lock(&d->lock);
	result = take(d, to, len);
	mutex_unlock(&d->lock);
	return result;
}

static const struct proc_ops full_ex_ops = {
	.proc_open	= full_ex_open,
	.proc_release	= full_ex_release,
	.proc_read	= full_ex_read,
	.proc_write	= full_ex_write,
};

static int __init full_ex_init(void)
{
	return proc_create("full_ex", 0666, NULL, &full_ex_ops) ? 0 : -ENOMEM;
}

static void __exit full_ex_exit(void)
{
	remove_proc_entry("full_ex", NULL);
}

module_init(full_ex_init);
module_exit(full_ex_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/full_ex: a deque of integers for every process that opens it");
MODULE_VERSION("1.0");
