// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.4, the functions of a class attribute take

#include <linux/module.h>
#include <linux/device.h>

static ssize_t old_show(struct class *class, struct class_attribute *attr, char *buf)
{
	return 0;
}

CLASS_ATTR_RO(old);
struct class_attribute *used = &class_attr_old;

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
