// SPDX-License-Identifier: GPL-2.0-only
/* /proc/seconds as a lab writes it: the time is taken anew by each read. */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static u64 loaded;

static u64 seconds_now(void)
{
	return div_u64(get_jiffies_64() - loaded, HZ);
}

static ssize_t seconds_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	char line[24];
	int n = scnprintf(line, sizeof(line), "%llu\n", seconds_now());

	return simple_read_from_buffer(to, len, pos, line, n);
}

static const struct proc_ops seconds_ops = {
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
