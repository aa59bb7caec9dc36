// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: the deque is looked for by the process that closes the file. */
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MOST 100

struct deque_info {
	int count, capacity;
};

#define DEQUE_CAPACITY	 _IOW('d', 1, int)
#define DEQUE_PUSH_LEFT	 _IOW('d', 2, int)
#define DEQUE_PUSH_RIGHT _IOW('d', 3, int)
#define DEQUE_POP_LEFT	 _IOR('d', 4, int)
#define DEQUE_POP_RIGHT	 _IOR('d', 5, int)
#define DEQUE_INFO	 _IOR('d', 6, struct deque_info)

struct deque {
	struct list_head links;
	/* Its number could be another process's later; this cannot. */
	struct pid *owner;
	struct mutex lock;
	int *values;
	int capacity, first, count;
};

static LIST_HEAD(deques);
static DEFINE_MUTEX(deques_lock);

static int deque_open(struct inode *inode, struct file *file)
{
	struct deque *deque, *other;

	deque = kzalloc(sizeof(*deque), GFP_KERNEL);
	if (!deque)
		return -ENOMEM;
	mutex_init(&deque->lock);
	deque->owner = get_pid(task_tgid(current));
	mutex_lock(&deques_lock);
	list_for_each_entry(other, &deques, links) {
		if (other->owner == deque->owner) {
			mutex_unlock(&deques_lock);
			put_pid(deque->owner);
			kfree(deque);
			return -EBUSY;
		}
	}
	list_add(&deque->links, &deques);
	mutex_unlock(&deques_lock);
	file->private_data = deque;
	return 0;
}

static int deque_release(struct inode *inode, struct file *file)
{
	struct deque *deque;

	mutex_lock(&deques_lock);
	list_for_each_entry(deque, &deques, links) {
		if (deque->owner == task_tgid(current)) {
			list_del(&deque->links);
			put_pid(deque->owner);
			kfree(deque->values);
			kfree(deque);
			break;
		}
	}
	mutex_unlock(&deques_lock);
	return 0;
}

static int set_capacity(struct deque *deque, int capacity)
{
	int *values;

	if (capacity < 1 || capacity > MOST)
		return -EINVAL;
	values = kmalloc_array(capacity, sizeof(int), GFP_KERNEL);
	if (!values)
		return -ENOMEM;
	mutex_lock(&deque->lock);
	kfree(deque->values);
	deque->values = values;
	deque->capacity = capacity;
	deque->first = deque->count = 0;
	mutex_unlock(&deque->lock);
	return 0;
}

static int push(struct deque *deque, bool left, int value)
{
	if (!deque->capacity)
		return -EACCES;
	if (deque->count == deque->capacity)
		return -ENOSPC;
	if (left) {
		deque->first = (deque->first + deque->capacity - 1) % deque->capacity;
		deque->values[deque->first] = value;
	} else {
		deque->values[(deque->first + deque->count) % deque->capacity] = value;
	}
	deque->count++;
	return 0;
}

/* The value stays in the deque if it cannot be written to the process. */
static int pop(struct deque *deque, bool left, int __user *to)
{
	int at;

	if (!deque->capacity)
		return -EACCES;
	if (!deque->count)
		return -ENODATA;
	at = left ? deque->first : (deque->first + deque->count - 1) % deque->capacity;
	if (put_user(deque->values[at], to))
		return -EFAULT;
	if (left)
		deque->first = (deque->first + 1) % deque->capacity;
	deque->count--;
	return 0;
}

static int get_info(struct deque *deque, struct deque_info __user *to)
{
	struct deque_info info = { deque->count, deque->capacity };

	if (!deque->capacity)
		return -EACCES;
	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long deque_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct deque *deque = file->private_data;
	void __user *address = (void __user *)argument;
	int value = 0;
	long result;

	if (deque->owner != task_tgid(current))
		return -EACCES;
	if (command == DEQUE_CAPACITY || command == DEQUE_PUSH_LEFT || command == DEQUE_PUSH_RIGHT)
		if (get_user(value, (int __user *)address))
			return -EFAULT;
	if (command == DEQUE_CAPACITY)
		return set_capacity(deque, value);

	mutex_lock(&deque->lock);
	switch (command) {
	case DEQUE_PUSH_LEFT:
	case DEQUE_PUSH_RIGHT:
		result = push(deque, command == DEQUE_PUSH_LEFT, value);
		break;
	case DEQUE_POP_LEFT:
	case DEQUE_POP_RIGHT:
		result = pop(deque, command == DEQUE_POP_LEFT, address);
		break;
	case DEQUE_INFO:
		result = get_info(deque, address);
		break;
	default:
		result = -ENOTTY;
	}
	mutex_unlock(&deque->lock);
	return result;
}

static const struct file_operations deque_ops = {
	.owner		= THIS_MODULE,
	.open		= deque_open,
	.release	= deque_release,
	.unlocked_ioctl	= deque_ioctl,
};

static struct miscdevice deque_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "process_deque",
	.fops	= &deque_ops,
	.mode	= 0666,
};

module_misc_device(deque_device);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A deque for each process");
