// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.7, `VM_RESERVED` is gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/mm.h>

unsigned long flags(void)
{
	return VM_IO | VM_RESERVED;
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
