// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: follows a null pointer while it is loaded. */
#include <linux/init.h>
#include <linux/module.h>

static int *nowhere;

static int __init hello_init(void)
{
	pr_info("Hello world %d\n", READ_ONCE(*nowhere));
	return 0;
}

static void __exit hello_exit(void)
{
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
