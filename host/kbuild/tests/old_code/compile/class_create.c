// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.4, `class_create` takes the name only
// rewritten: compiles

#include <linux/module.h>
#include <linux/device.h>

struct class *make(void)
{
	return class_create(THIS_MODULE, "old");
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
