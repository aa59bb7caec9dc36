// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: `helper_of_good` is defined in helper.c, which is not part of the module

#include <linux/module.h>

extern int helper_of_good(void);

int call(void)
{
	return helper_of_good();
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
