// SPDX-License-Identifier: GPL-2.0-only
/* /proc/full_ex as a lab writes it: a list that is searched by process id. */
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MOST 100

struct deque {
	struct list_head list;
	pid_t pid;
	unsigned char capacity;
	unsigned char count;
	unsigned char first;
	int *values;
};

static LIST_HEAD(deques);
static DEFINE_MUTEX(lock);

static struct deque *find(void)
{
	struct deque *d;

	list_for_each_entry(d, &deques, list)
		if (d->pid == current->pid)
			return d;
	return NULL;
}

static int full_ex_open(struct inode *inode, struct file *file)
{
	struct deque *d;
	int result = 0;

	mutex_lock(&lock);
	if (find()) {
		result = -EACCES;
	} else {
		d = kzalloc(sizeof(*d), GFP_KERNEL);
		if (d) {
			d->pid = current->pid;
			list_add_tail(&d->list, &deques);
		} else {
			result = -ENOMEM;
		}
	}
	mutex_unlock(&lock);
	return result;
}

static int full_ex_release(struct inode *inode, struct file *file)
{
	struct deque *d;

	mutex_lock(&lock);
	d = find();
	if (d) {
		list_del(&d->list);
		kfree(d->values);
		kfree(d);
	}
	mutex_unlock(&lock);
	return 0;
}

static ssize_t make(struct deque *d, const char __user *from, size_t len)
{
	unsigned char capacity;

	if (len != 1)
		return -EINVAL;
	if (copy_from_user(&capacity, from, 1))
		return -EFAULT;
	if (capacity < 1 || capacity > MOST)
		return -EINVAL;
	d->values = kmalloc_array(capacity, sizeof(int), GFP_KERNEL);
	if (!d->values)
		return -ENOMEM;
	d->capacity = capacity;
	return 1;
}

static ssize_t push(struct deque *d, const char __user *from, size_t len)
{
	int value, at;

	if (len != sizeof(value))
		return -EINVAL;
	if (copy_from_user(&value, from, sizeof(value)))
		return -EFAULT;
	if (d->count == d->capacity)
		return -EACCES;
	if (value & 1) {
		d->first = d->first ? d->first - 1 : d->capacity - 1;
		at = d->first;
	} else {
		at = d->first + d->count;
		if (at >= d->capacity)
			at -= d->capacity;
	}
	d->values[at] = value;
	d->count++;
	return sizeof(value);
}

static ssize_t full_ex_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	struct deque *d;
	ssize_t result = -EACCES;

	mutex_lock(&lock);
	d = find();
	if (d)
		result = d->values ? push(d, from, len) : make(d, from, len);
	mutex_unlock(&lock);
	return result;
}

static ssize_t full_ex_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	struct deque *d;
	ssize_t result = -EACCES;

	mutex_lock(&lock);
	d = find();
	if (d && d->count) {
		if (len < sizeof(int)) {
			result = -EINVAL;
		} else if (copy_to_user(to, &d->values[d->first], sizeof(int))) {
			result = -EFAULT;
		} else {
			if (++d->first == d->capacity)
				d->first = 0;
			d->count--;
			result = sizeof(int);
		}
	}
	mutex_unlock(&lock);
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
