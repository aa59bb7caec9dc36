// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong in these ways: a flag that all readers share tells the end of the file, the
 * reader's buffer is taken to be long enough, and the count is cut to 32 bits, with
 * a sign.
 */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static int done;

static ssize_t jiffies_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	char text[32];
	int n;

	if (done) {
		done = 0;
		return 0;
	}
	done = 1;
	n = sprintf(text, "%d\n", (int)jiffies);
	if (copy_to_user(to, text, n))
		return -EFAULT;
	return n;
}

static const struct proc_ops jiffies_ops = {
	.proc_read = jiffies_read,
};

static int __init jiffies_init(void)
{
	return proc_create("jiffies", 0444, NULL, &jiffies_ops) ? 0 : -EEXIST;
}

static void __exit jiffies_exit(void)
{
	remove_proc_entry("jiffies", NULL);
}

module_init(jiffies_init);
module_exit(jiffies_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/jiffies, with a done flag");
MODULE_VERSION("1.0");
