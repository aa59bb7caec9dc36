// SPDX-License-Identifier: GPL-2.0-only
/* The smallest module. It keeps its whole contract. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>

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
MODULE_DESCRIPTION("Says hello when loaded and goodbye when unloaded");
MODULE_VERSION("1.0");
