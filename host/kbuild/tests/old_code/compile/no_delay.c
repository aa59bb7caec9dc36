// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: `msleep` is declared in <linux/delay.h>
// rewritten: compiles

#include <linux/module.h>

void nap(void)
{
	msleep(10);
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
