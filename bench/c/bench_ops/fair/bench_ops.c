// SPDX-License-Identifier: GPL-2.0-only
/* /proc/bench_ops with the whole contract of the Rust module. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/proc_fs.h>
#include <linux/refcount.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define PUSHES 1000

static char *buffer;
static DEFINE_MUTEX(buffer_lock);
static u64 count;
static DEFINE_MUTEX(count_lock);

/* A vector that grows, as Koru's KVec does. */
struct numbers {
	u32 *values;
	size_t len;
	size_t cap;
};

static int push(struct numbers *numbers, u32 value)
{
	if (numbers->len == numbers->cap) {
		size_t cap = max_t(size_t, numbers->cap * 2, 1);
		u32 *values = krealloc_array(numbers->values, cap,
					     sizeof(*values), GFP_KERNEL);

		if (!values)
			return -ENOMEM;
		numbers->values = values;
		numbers->cap = cap;
	}
	numbers->values[numbers->len++] = value;
	return 0;
}

static int push_all(void)
{
	struct numbers numbers = {};
	int err = 0;
	u32 i;

	for (i = 0; i < PUSHES && !err; i++)
		err = push(&numbers, i);
	kfree(numbers.values);
	return err;
}

/* A value with a count of its users. */
struct shared {
	refcount_t users;
	u64 value;
};

static void put_shared(struct shared *shared)
{
	if (refcount_dec_and_test(&shared->users))
		kfree(shared);
}

static int share(u64 value)
{
	struct shared *one = kmalloc(sizeof(*one), GFP_KERNEL), *other;

	if (!one)
		return -ENOMEM;
	refcount_set(&one->users, 1);
	one->value = value;
	refcount_inc(&one->users);
	other = one;
	put_shared(one);
	put_shared(other);
	return 0;
}

static int allocate(u64 value)
{
	u64 *copy = kmalloc(sizeof(*copy), GFP_KERNEL);

	if (!copy)
		return -ENOMEM;
	*copy = value;
	kfree(copy);
	return 0;
}

static int do_often(u8 operation, u8 times)
{
	int i, err = 0;

	switch (operation) {
	case 0:
		return 0;
	case 1:
		for (i = 0; i < times; i++)
			pr_info("a constant text\n");
		return 0;
	case 2:
		for (i = 0; i < times; i++)
			pr_info("the number %u\n", times);
		return 0;
	case 3:
		for (i = 0; i < times; i++) {
			mutex_lock(&count_lock);
			count++;
			mutex_unlock(&count_lock);
		}
		return 0;
	case 4:
		for (i = 0; i < times && !err; i++)
			err = allocate(times);
		return err;
	case 5:
		for (i = 0; i < times && !err; i++)
			err = push_all();
		return err;
	case 6:
		for (i = 0; i < times && !err; i++)
			err = share(times);
		return err;
	default:
		return -EINVAL;
	}
}

static ssize_t ops_read(struct file *file, char __user *to, size_t len,
			loff_t *pos)
{
	ssize_t n;

	mutex_lock(&buffer_lock);
	n = simple_read_from_buffer(to, len, pos, buffer, SZ_64K);
	mutex_unlock(&buffer_lock);
	return n;
}

static ssize_t ops_write(struct file *file, const char __user *from,
			 size_t len, loff_t *pos)
{
	u8 command[2];
	ssize_t n;
	int err;

	if (len > sizeof(command)) {
		size_t room = *pos < SZ_64K ? SZ_64K - *pos : 0;

		if (*pos < 0)
			return -EINVAL;
		n = min(len, room);
		mutex_lock(&buffer_lock);
		if (copy_from_user(buffer + *pos, from, n))
			n = -EFAULT;
		else
			*pos += n;
		mutex_unlock(&buffer_lock);
		return n;
	}
	if (len < sizeof(command) ||
	    copy_from_user(command, from, sizeof(command)))
		return -EFAULT;
	err = do_often(command[0], command[1]);
	return err ?: sizeof(command);
}

static const struct proc_ops ops_ops = {
	.proc_read	= ops_read,
	.proc_write	= ops_write,
	.proc_lseek	= default_llseek,
};

static int __init ops_init(void)
{
	buffer = kvzalloc(SZ_64K, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	if (!proc_create("bench_ops", 0600, NULL, &ops_ops)) {
		kvfree(buffer);
		return -ENOMEM;
	}
	return 0;
}

static void __exit ops_exit(void)
{
	remove_proc_entry("bench_ops", NULL);
	kvfree(buffer);
}

module_init(ops_init);
module_exit(ops_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/bench_ops: does what modules are made of, as often as a write says");
MODULE_VERSION("1.0");
