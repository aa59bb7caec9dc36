// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.18, a `struct kobj_type` has no `default_attrs`

#include <linux/module.h>
#include <linux/kobject.h>

static struct attribute *my_attrs[] = { NULL };
struct kobj_type my_type = { .default_attrs = my_attrs };

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
