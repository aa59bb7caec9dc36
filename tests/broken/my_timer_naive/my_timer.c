// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong in these ways: the reference time moves before the reader has anything,
 * so a read that faults is counted; and after the clock was set back the seconds are
 * rounded down, so that half a second less is printed as -1.500000000.
 */
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

static DEFINE_MUTEX(lock);
static struct timespec64 last;
static bool seen;

struct reading {
	size_t len;
	char text[96];
};

static int timer_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct reading), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int timer_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t timer_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	struct reading *r = file->private_data;
	struct timespec64 now, elapsed;
	ssize_t n;

	if (!len)
		return 0;
	mutex_lock(&lock);
	if (!*pos) {
		ktime_get_real_ts64(&now);
		r->len = scnprintf(r->text, sizeof(r->text),
				   "current time: %lld.%09ld\n",
				   (s64)now.tv_sec, now.tv_nsec);
		elapsed = timespec64_sub(now, last);
		if (seen)
			r->len += scnprintf(r->text + r->len,
					    sizeof(r->text) - r->len,
					    "elapsed time: %lld.%09ld\n",
					    (s64)elapsed.tv_sec, elapsed.tv_nsec);
		last = now;
		seen = true;
	}
	n = simple_read_from_buffer(to, len, pos, r->text, r->len);
	mutex_unlock(&lock);
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
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/timer, in C");
MODULE_VERSION("1.0");
