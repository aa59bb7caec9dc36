// SPDX-License-Identifier: GPL-2.0-only
/* /proc/jiffies as a lab writes it: the number is taken anew by each read. */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static ssize_t jiffies_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	char line[24];
	int n = scnprintf(line, sizeof(line), "%llu\n", get_jiffies_64());

	return simple_read_from_buffer(to, len, pos, line, n);
}

static const struct proc_ops jiffies_ops = {
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
