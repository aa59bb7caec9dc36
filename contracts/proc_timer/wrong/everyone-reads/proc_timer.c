// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: only root may read the file. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>

static DEFINE_MUTEX(lock);
static struct timespec64 last;
static bool was_read;

/* seq_file keeps what is shown until the reader has all of it. */
static int timer_show(struct seq_file *file, void *unused)
{
	struct timespec64 now, elapsed;

	mutex_lock(&lock);
	ktime_get_real_ts64(&now);
	seq_printf(file, "current time: %lld.%09ld\n", now.tv_sec, now.tv_nsec);
	if (was_read) {
		elapsed = timespec64_sub(now, last);
		seq_printf(file, "elapsed time: %lld.%09ld\n", elapsed.tv_sec,
			   elapsed.tv_nsec);
	}
	last = now;
	was_read = true;
	mutex_unlock(&lock);
	return 0;
}

static int __init timer_init(void)
{
	return proc_create_single("timer", 0400, NULL, timer_show) ? 0 : -ENOMEM;
}

static void __exit timer_exit(void)
{
	remove_proc_entry("timer", NULL);
}

module_init(timer_init);
module_exit(timer_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Only root may read it");
