// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: a module has no C library: `pr_info` writes
// rewritten: compiles

#include <linux/module.h>

void hello(void)
{
	printf("hello\n");
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
