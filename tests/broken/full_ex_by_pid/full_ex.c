// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong in these ways: one buffer serves all writers; whose deque it is is found by
 * current->pid, the number of a thread, so other threads are refused, and what
 * another process or thread closes is never freed; a read takes the integer before
 * it knows that it can be given, gives 4 whatever was asked for, and has its own
 * mind of errors; every open is told in the log.
 */
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct deque {
	struct list_head list;
	pid_t pid;
	int capacity;
	int count;
	int values[100];
};

static LIST_HEAD(deques);
static DEFINE_MUTEX(lock);
static char buffer[16];

static struct deque *mine(void)
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
	int err = 0;

	pr_info("full_ex: opened by %d\n", current->pid);
	mutex_lock(&lock);
	if (mine()) {
		err = -EACCES;
	} else {
		d = kzalloc(sizeof(*d), GFP_KERNEL);
		if (d) {
			d->pid = current->pid;
			list_add(&d->list, &deques);
		} else {
			err = -ENOMEM;
		}
	}
	mutex_unlock(&lock);
	return err;
}

static int full_ex_release(struct inode *inode, struct file *file)
{
	struct deque *d;

	mutex_lock(&lock);
	d = mine();
	if (d) {
		list_del(&d->list);
		kfree(d);
	}
	mutex_unlock(&lock);
	return 0;
}

static ssize_t full_ex_write(struct file *file, const char __user *from,
			     size_t len, loff_t *pos)
{
	ssize_t result = len;
	struct deque *d;
	int value;

	/* Outside of the lock: it may sleep. */
	if (copy_from_user(buffer, from, min(len, sizeof(buffer))))
		return -ENOBUFS;
	/* Others would come between only now and then. */
	yield();
	mutex_lock(&lock);
	d = mine();
	if (!d) {
		result = -EACCES;
	} else if (!d->capacity) {
		int capacity = (unsigned char)buffer[0];

		if (len == 1 && capacity >= 1 && capacity <= 100)
			d->capacity = capacity;
		else
			result = -EINVAL;
	} else if (len != 4) {
		result = -EINVAL;
	} else if (d->count == d->capacity) {
		result = -EACCES;
	} else {
		memcpy(&value, buffer, 4);
		if (value & 1) {
			memmove(d->values + 1, d->values,
				d->count * sizeof(int));
			d->values[0] = value;
		} else {
			d->values[d->count] = value;
		}
		d->count++;
	}
	mutex_unlock(&lock);
	return result;
}

static ssize_t full_ex_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	struct deque *d;
	int value;

	mutex_lock(&lock);
	d = mine();
	if (!d || !d->count) {
		mutex_unlock(&lock);
		return -EACCES;
	}
	value = d->values[0];
	d->count--;
	memmove(d->values, d->values + 1, d->count * sizeof(int));
	mutex_unlock(&lock);
	if (copy_to_user(to, &value, min_t(size_t, len, 4)))
		return -EACCES;
	return 4;
}

static const struct proc_ops full_ex_ops = {
	.proc_open	= full_ex_open,
	.proc_release	= full_ex_release,
	.proc_read	= full_ex_read,
	.proc_write	= full_ex_write,
};

static int __init full_ex_init(void)
{
	return proc_create("full_ex", 0666, NULL, &full_ex_ops) ? 0 : -EEXIST;
}

static void __exit full_ex_exit(void)
{
	struct deque *d, *next;

	remove_proc_entry("full_ex", NULL);
	list_for_each_entry_safe(d, next, &deques, list)
		kfree(d);
}

module_init(full_ex_init);
module_exit(full_ex_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/full_ex, by pid");
MODULE_VERSION("1.0");
