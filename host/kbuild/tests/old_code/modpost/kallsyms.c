// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.7, modules cannot use `kallsyms_lookup_name`

#include <linux/module.h>
#include <linux/kallsyms.h>

unsigned long find(void)
{
	return kallsyms_lookup_name("sys_call_table");
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
