// SPDX-License-Identifier: GPL-2.0-only
/* A right `jiffies` in C, by seq_file. */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static int jiffies_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%llu\n", get_jiffies_64());
	return 0;
}

static int __init jiffies_init(void)
{
	/* It does not say why; mostly the name is taken. */
	if (!proc_create_single("jiffies", 0444, NULL, jiffies_show))
		return -EEXIST;
	return 0;
}

static void __exit jiffies_exit(void)
{
	remove_proc_entry("jiffies", NULL);
}

module_init(jiffies_init);
module_exit(jiffies_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/jiffies, right");
MODULE_VERSION("1.0");
