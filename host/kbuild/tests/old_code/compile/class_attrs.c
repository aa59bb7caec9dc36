// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: a class has `class_groups` and `dev_groups`

#include <linux/module.h>
#include <linux/device.h>

static struct class_attribute my_attrs[] = { { } };
struct class my_class = { .name = "old", .class_attrs = my_attrs };

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
