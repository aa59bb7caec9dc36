// SPDX-License-Identifier: GPL-2.0-only
/* /proc/timer with the whole contract of the Rust module. */
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#define MAX_LEN 96

/* What all readers share: the last reading that someone got. */
static DEFINE_SPINLOCK(last_lock);
static u64 readings;
static s64 last_ns;

/* One open file: the reading that was begun. */
struct reading {
	spinlock_t lock;
	size_t len;
	char text[MAX_LEN];
};

/* "-0.500000000": the sign is that of the whole. */
static size_t show(char *text, s64 now, bool has_last, s64 last)
{
	s64 elapsed = now - last;
	u64 ns = abs(elapsed);

	if (!has_last)
		return scnprintf(text, MAX_LEN, "current time: %llu.%09llu\n",
				 now / NSEC_PER_SEC, now % NSEC_PER_SEC);
	return scnprintf(text, MAX_LEN,
			 "current time: %llu.%09llu\nelapsed time: %s%llu.%09llu\n",
			 now / NSEC_PER_SEC, now % NSEC_PER_SEC,
			 elapsed < 0 ? "-" : "",
			 ns / NSEC_PER_SEC, ns % NSEC_PER_SEC);
}

static int timer_open(struct inode *inode, struct file *file)
{
	struct reading *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return -ENOMEM;
	spin_lock_init(&r->lock);
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
	char text[MAX_LEN];
	size_t have, n;
	u64 before;
	s64 last, now;

	for (;;) {
		spin_lock(&last_lock);
		before = readings;
		last = last_ns;
		spin_unlock(&last_lock);

		now = ktime_get_real_ns();
		have = show(text, now, before, last);
		/* After the end, so nobody has seen the clock. */
		if (*pos >= have)
			return 0;
		n = min_t(size_t, len, have - *pos);
		if (copy_to_user(to, text + *pos, n))
			return -EFAULT;

		spin_lock(&last_lock);
		if (readings == before) {
			readings++;
			last_ns = now;
			spin_unlock(&last_lock);
			break;
		}
		spin_unlock(&last_lock);
		/* Others may come before one whose memory is slow for ever. */
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
	spin_lock(&r->lock);
	/* At an offset: meanwhile another reading may have begun. */
	if (!*pos || !r->len) {
		memcpy(r->text, text, have);
		r->len = have;
	}
	spin_unlock(&r->lock);
	*pos += n;
	return n;
}

static ssize_t timer_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	struct reading *r = file->private_data;
	char text[MAX_LEN];
	size_t have;

	if (!len)
		return 0;
	if (!*pos)
		return new_reading(r, to, len, pos);
	spin_lock(&r->lock);
	have = r->len;
	memcpy(text, r->text, sizeof(text));
	spin_unlock(&r->lock);
	if (!have)
		return new_reading(r, to, len, pos);
	return simple_read_from_buffer(to, len, pos, text, have);
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
MODULE_DESCRIPTION("/proc/timer: the current time, and the time since the last read");
MODULE_AUTHOR("The Koru authors");
MODULE_VERSION("1.0");
