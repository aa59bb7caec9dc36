// SPDX-License-Identifier: GPL-2.0-only
/* /proc/timer as a lab writes it: one last time, and no lock. */
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

static struct timespec64 last;

static ssize_t timer_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	struct timespec64 now, elapsed;
	char text[96];
	int n;

	if (*pos)
		return 0;
	ktime_get_real_ts64(&now);
	n = scnprintf(text, sizeof(text), "current time: %lld.%09ld\n",
		      now.tv_sec, now.tv_nsec);
	if (last.tv_sec) {
		elapsed = timespec64_sub(now, last);
		n += scnprintf(text + n, sizeof(text) - n,
			       "elapsed time: %lld.%09ld\n",
			       elapsed.tv_sec, elapsed.tv_nsec);
	}
	last = now;
	return simple_read_from_buffer(to, len, pos, text, n);
}

static const struct proc_ops timer_ops = {
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
MODULE_DESCRIPTION("/proc/timer: the current time, and the time since the last read");
MODULE_VERSION("1.0");
