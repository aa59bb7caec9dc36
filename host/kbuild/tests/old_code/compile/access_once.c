// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.15, `ACCESS_ONCE` is called `READ_ONCE`
// rewritten: compiles

#include <linux/module.h>

int peek(int *p)
{
	return ACCESS_ONCE(*p);
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
