// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: each open file knows its own reads only. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

/* One open file. */
struct reader {
	struct timespec64 last;
	bool was_read;
};

static int timer_show(struct seq_file *file, void *unused)
{
	struct reader *reader = file->private;
	struct timespec64 now, elapsed;

	ktime_get_real_ts64(&now);
	seq_printf(file, "current time: %lld.%09ld\n", now.tv_sec, now.tv_nsec);
	if (reader->was_read) {
		elapsed = timespec64_sub(now, reader->last);
		seq_printf(file, "elapsed time: %lld.%09ld\n", elapsed.tv_sec,
			   elapsed.tv_nsec);
	}
	reader->last = now;
	reader->was_read = true;
	return 0;
}

static int timer_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);
	int error;

	if (!reader)
		return -ENOMEM;
	error = single_open(file, timer_show, reader);
	if (error)
		kfree(reader);
	return error;
}

static int timer_release(struct inode *inode, struct file *file)
{
	kfree(((struct seq_file *)file->private_data)->private);
	return single_release(inode, file);
}

static const struct proc_ops timer_ops = {
	.proc_open	= timer_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= timer_release,
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
MODULE_DESCRIPTION("Each open file is for itself");
