// SPDX-License-Identifier: GPL-2.0-only
/* A module that keeps the contract. */
#include <linux/init.h>
#include <linux/module.h>

static int __init lab_init(void)
{
	pr_info("hello from the lab\n");
	return 0;
}

static void __exit lab_exit(void)
{
}

module_init(lab_init);
module_exit(lab_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A lab");
