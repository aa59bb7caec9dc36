// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 2.6.17, `MODULE_PARM` is gone

#include <linux/module.h>

static int number = 1;
MODULE_PARM(number, "i");

int get(void)
{
	return number;
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
