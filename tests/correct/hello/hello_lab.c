// SPDX-License-Identifier: GPL-2.0-only
/* A right `hello` in C, under a name of its own. */
#include <linux/init.h>
#include <linux/module.h>

static int __init hello_init(void)
{
	pr_info("Hello world\n");
	return 0;
}

static void __exit hello_exit(void)
{
	pr_info("Goodbye world\n");
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("Says hello and goodbye");
MODULE_VERSION("1.0");
