// SPDX-License-Identifier: GPL-2.0-only
/* /proc/seconds with the whole contract of the Rust module. */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static u64 loaded;

static u64 seconds_now(void)
{
	return div_u64(get_jiffies_64() - loaded, HZ);
}

/* One open file: the line that it is reading, whose digits do not change. */
struct reader {
	spinlock_t lock;
	size_t len;
	char line[24];
};

static int seconds_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);

	if (!reader)
		return -ENOMEM;
	spin_lock_init(&reader->lock);
	file->private_data = reader;
	return 0;
}

static int seconds_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t seconds_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	struct reader *reader = file->private_data;
	char line[sizeof(reader->line)];
	size_t n;

	/* Others may read this open file as well, so they see whole lines only. */
	if (!*pos || !READ_ONCE(reader->len)) {
		n = sprintf(line, "%llu", seconds_now());
		line[n++] = '\n';
		spin_lock(&reader->lock);
		memcpy(reader->line, line, sizeof(line));
		reader->len = n;
		spin_unlock(&reader->lock);
	} else {
		spin_lock(&reader->lock);
		memcpy(line, reader->line, sizeof(line));
		n = reader->len;
		spin_unlock(&reader->lock);
	}
	return simple_read_from_buffer(to, len, pos, line, n);
}

static const struct proc_ops seconds_ops = {
	.proc_open	= seconds_open,
	.proc_release	= seconds_release,
	.proc_read	= seconds_read,
	.proc_lseek	= default_llseek,
};

static int __init seconds_init(void)
{
	loaded = get_jiffies_64();
	return proc_create("seconds", 0444, NULL, &seconds_ops) ? 0 : -ENOMEM;
}

static void __exit seconds_exit(void)
{
	remove_proc_entry("seconds", NULL);
}

module_init(seconds_init);
module_exit(seconds_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/seconds: whole seconds since the module was loaded");
MODULE_VERSION("1.0");
