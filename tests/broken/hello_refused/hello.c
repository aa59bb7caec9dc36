// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: its init fails. */
#include <linux/init.h>
#include <linux/module.h>

static int __init hello_init(void)
{
	pr_err("hello: the device is not there\n");
	return -ENODEV;
}

static void __exit hello_exit(void)
{
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
