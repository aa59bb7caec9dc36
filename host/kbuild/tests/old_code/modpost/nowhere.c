// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: `no_such_symbol_kmalloc` is nowhere

#include <linux/module.h>

extern int no_such_symbol_kmalloc(void);

int call(void)
{
	return no_such_symbol_kmalloc();
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
