// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong: the seconds are those of the kernel's count less those at load, in 32 bits.
 * So a second begins when the count comes to a multiple of HZ, and five minutes
 * after boot, when the count wraps, the result is nonsense.
 */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static u32 start;

static int seconds_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", (u32)jiffies / HZ - start);
	return 0;
}

static int __init seconds_init(void)
{
	start = (u32)jiffies / HZ;
	if (!proc_create_single("seconds", 0444, NULL, seconds_show))
		return -EEXIST;
	return 0;
}

static void __exit seconds_exit(void)
{
	remove_proc_entry("seconds", NULL);
}

module_init(seconds_init);
module_exit(seconds_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/seconds, until the count wraps");
MODULE_VERSION("1.0");
