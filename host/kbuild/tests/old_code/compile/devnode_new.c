// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.1: before Linux 6.2, `devnode` takes a `struct device *`

#include <linux/module.h>
#include <linux/device.h>

static char *my_devnode(const struct device *dev, umode_t *mode)
{
	return NULL;
}

struct class my_class = { .name = "new", .devnode = my_devnode };

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
