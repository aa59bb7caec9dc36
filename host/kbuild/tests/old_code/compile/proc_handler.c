// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.11, the handler of a sysctl takes a `const struct ctl_table *`

#include <linux/module.h>
#include <linux/sysctl.h>

static int my_handler(struct ctl_table *table, int write, void *buffer, size_t *n, loff_t *pos)
{
	return 0;
}

struct ctl_table files[] = { { .procname = "old", .proc_handler = my_handler } };

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
