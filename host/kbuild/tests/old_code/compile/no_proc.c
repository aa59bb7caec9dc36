// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: `remove_proc_entry` is declared in <linux/proc_fs.h>
// rewritten: compiles

#include <linux/module.h>
#include <linux/kernel.h>

void drop(void)
{
	remove_proc_entry("x", NULL);
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
