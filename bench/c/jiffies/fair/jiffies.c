// SPDX-License-Identifier: GPL-2.0-only
/* /proc/jiffies with the whole contract of the Rust module. */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* One open file: the line that it is reading, whose digits do not change. */
struct reader {
	spinlock_t lock;
	size_t len;
	char line[24];
};

static int jiffies_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);

	if (!reader)
		return -ENOMEM;
	spin_lock_init(&reader->lock);
	file->private_data = reader;
	return 0;
}

static int jiffies_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t jiffies_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	struct reader *reader = file->private_data;
	char line[sizeof(reader->line)];
	size_t n;

	/* Others may read this open file as well, so they see whole lines only. */
	if (!*pos || !READ_ONCE(reader->len)) {
		n = sprintf(line, "%llu", get_jiffies_64());
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

static const struct proc_ops jiffies_ops = {
	.proc_open	= jiffies_open,
	.proc_release	= jiffies_release,
	.proc_read	= jiffies_read,
	.proc_lseek	= default_llseek,
};

static int __init jiffies_init(void)
{
	return proc_create("jiffies", 0444, NULL, &jiffies_ops) ? 0 : -ENOMEM;
}

static void __exit jiffies_exit(void)
{
	remove_proc_entry("jiffies", NULL);
}

module_init(jiffies_init);
module_exit(jiffies_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/jiffies: the current jiffies");
MODULE_VERSION("1.0");
