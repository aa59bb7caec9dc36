// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.5, `register_sysctl_table` is gone

#include <linux/module.h>
#include <linux/sysctl.h>

static struct ctl_table files[] = { { .procname = "old" }, { } };
static struct ctl_table folders[] = { { .procname = "kernel", .child = files }, { } };

struct ctl_table_header *make(void)
{
	return register_sysctl_table(folders);
}

static int __init old_init(void)
{
	return 0;
}

static void __exit old_exit(void)
{
}

module_init(old_init);
module_exit(old_exit);
MODULE_LICENSE("GPL");
