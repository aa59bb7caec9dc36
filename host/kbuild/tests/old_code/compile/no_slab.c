// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.1: `kfree`, `kmalloc` are declared in <linux/slab.h>
// rewritten: compiles

#include <linux/module.h>

void *get(void)
{
	kfree(kmalloc(8, GFP_KERNEL));
	return kmalloc(16, GFP_KERNEL);
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
