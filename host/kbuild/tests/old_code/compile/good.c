// SPDX-License-Identifier: MIT OR Apache-2.0

#include <linux/module.h>
#include <linux/slab.h>

/* printf, setup_timer and class_create(THIS_MODULE, "x") are words only. */
const char *text(void)
{
	return "setup_timer(&t, f, 0)";
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
