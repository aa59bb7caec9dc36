// SPDX-License-Identifier: GPL-2.0-only
/* A right `my_timer` in C. */
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

/* What all readers share: the last reading that someone got. */
static DEFINE_MUTEX(last_lock);
static u64 readings;
static s64 last_ns;

/* One open file: the reading that was begun. */
struct reading {
	struct mutex lock;
	size_t len;
	char text[96];
};

/* "-0.500000000": the sign is that of the whole. */
static int print_ns(char *to, size_t room, const char *label, s64 ns)
{
	u32 part;
	u64 whole = div_u64_rem(abs(ns), NSEC_PER_SEC, &part);

	return scnprintf(to, room, "%s%s%llu.%09u\n", label,
			 ns < 0 ? "-" : "", whole, part);
}

static int timer_open(struct inode *inode, struct file *file)
{
	struct reading *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock);
	file->private_data = r;
	return 0;
}

static int timer_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

/*
 * The reading counts once the reader has it. Copying may wait for a page, so
 * no lock is held meanwhile; if another was counted in between, this one is
 * made again.
 */
static ssize_t new_reading(struct reading *r, char __user *to, size_t len,
			   loff_t *pos)
{
	struct reading mine;
	loff_t at;
	ssize_t n;
	u64 before;
	s64 last, now;

	for (;;) {
		mutex_lock(&last_lock);
		before = readings;
		last = last_ns;
		mutex_unlock(&last_lock);

		now = ktime_get_real_ns();
		mine.len = print_ns(mine.text, sizeof(mine.text),
				    "current time: ", now);
		if (before)
			mine.len += print_ns(mine.text + mine.len,
					     sizeof(mine.text) - mine.len,
					     "elapsed time: ", now - last);
		at = *pos;
		/* All or nothing: a copy in part would be a lost byte. */
		if (at >= mine.len)
			return 0;
		n = min_t(size_t, len, mine.len - at);
		if (copy_to_user(to, mine.text + at, n))
			return -EFAULT;

		mutex_lock(&last_lock);
		if (readings == before) {
			readings++;
			last_ns = now;
			mutex_unlock(&last_lock);
			break;
		}
		mutex_unlock(&last_lock);
		/* Others may come before one whose memory is slow for ever. */
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
	mutex_lock(&r->lock);
	/* At an offset: meanwhile another reading may have begun. */
	if (!*pos || !r->len) {
		memcpy(r->text, mine.text, mine.len);
		r->len = mine.len;
	}
	mutex_unlock(&r->lock);
	*pos = at + n;
	return n;
}

static ssize_t timer_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	struct reading *r = file->private_data;
	char text[sizeof(r->text)];
	size_t have, n;

	if (!len)
		return 0;
	mutex_lock(&r->lock);
	have = r->len;
	memcpy(text, r->text, sizeof(text));
	mutex_unlock(&r->lock);
	if (!*pos || !have)
		return new_reading(r, to, len, pos);
	if (*pos >= have)
		return 0;
	n = min_t(size_t, len, have - *pos);
	if (copy_to_user(to, text + *pos, n))
		return -EFAULT;
	*pos += n;
	return n;
}

static const struct proc_ops timer_ops = {
	.proc_open	= timer_open,
	.proc_release	= timer_release,
	.proc_read	= timer_read,
	.proc_lseek	= default_llseek,
};

static int __init timer_init(void)
{
	return proc_create("timer", 0444, NULL, &timer_ops) ? 0 : -ENOMEM;
}

static void __exit timer_exit(void)
{
	remove_proc_entry("timer", NULL);
}

module_init(timer_init);
module_exit(timer_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("/proc/timer, right");
MODULE_AUTHOR("The Koru authors");
MODULE_VERSION("1.0");
