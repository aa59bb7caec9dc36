// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: the file has no end. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

static DEFINE_MUTEX(lock);
static struct timespec64 last;
static bool was_read;

/* It ignores the position, so the file has no end. */
static ssize_t timer_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	struct timespec64 now, elapsed;
	char text[96];
	int length;

	mutex_lock(&lock);
	ktime_get_real_ts64(&now);
	length = scnprintf(text, sizeof(text), "current time: %lld.%09ld\n", now.tv_sec,
			   now.tv_nsec);
	if (was_read) {
		elapsed = timespec64_sub(now, last);
		length += scnprintf(text + length, sizeof(text) - length,
				    "elapsed time: %lld.%09ld\n", elapsed.tv_sec,
				    elapsed.tv_nsec);
	}
	last = now;
	was_read = true;
	mutex_unlock(&lock);
	if (size < length)
		length = size;
	return copy_to_user(to, text, length) ? -EFAULT : length;
}

static const struct proc_ops timer_ops = {
	.proc_read	= timer_read,
	.proc_lseek	= noop_llseek,
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
MODULE_DESCRIPTION("The file has no end");
