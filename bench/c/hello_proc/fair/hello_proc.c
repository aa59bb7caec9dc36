// SPDX-License-Identifier: GPL-2.0-only
/* /proc/hello with the whole contract of the Rust module. */
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define MAX_LEN 100

struct message {
	size_t len;
	char text[MAX_LEN];
};

/* What all openers share. */
static DEFINE_MUTEX(current_lock);
static struct message current_message = { 12, "Hello World\n" };

/* One open file: the message that it is reading, which no writer changes. */
struct reader {
	struct mutex lock;
	struct message message;
};

static int hello_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);

	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock);
	file->private_data = reader;
	return 0;
}

static int hello_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t hello_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	struct reader *reader = file->private_data;
	struct message mine;

	if (!len)
		return 0;
	/* The copy to the reader may wait for a page, so no lock is held. */
	mutex_lock(&reader->lock);
	if (!*pos || !reader->message.len) {
		mutex_lock(&current_lock);
		reader->message = current_message;
		mutex_unlock(&current_lock);
	}
	mine = reader->message;
	mutex_unlock(&reader->lock);
	return simple_read_from_buffer(to, len, pos, mine.text, mine.len);
}

static ssize_t hello_write(struct file *file, const char __user *from,
			   size_t len, loff_t *pos)
{
	struct message mine;

	if (!len)
		return 0;
	if (len > MAX_LEN)
		return -EMSGSIZE;
	if (copy_from_user(mine.text, from, len))
		return -EFAULT;
	mine.len = len;
	mutex_lock(&current_lock);
	current_message = mine;
	mutex_unlock(&current_lock);
	*pos += len;
	return len;
}

static const struct proc_ops hello_ops = {
	.proc_open	= hello_open,
	.proc_release	= hello_release,
	.proc_read	= hello_read,
	.proc_write	= hello_write,
	.proc_lseek	= default_llseek,
};

static int __init hello_init(void)
{
	return proc_create("hello", 0666, NULL, &hello_ops) ? 0 : -ENOMEM;
}

static void __exit hello_exit(void)
{
	remove_proc_entry("hello", NULL);
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/hello: says hello, or what was last written");
MODULE_VERSION("1.0");
