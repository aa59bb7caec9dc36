// SPDX-License-Identifier: MIT OR Apache-2.0
// fails without a hint

#include <linux/module.h>

int wrong(void)
{
	return no_such_thing(1) + nor_this;
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
