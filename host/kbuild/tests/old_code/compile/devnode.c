// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.2, `devnode` and `dev_uevent` take a `const struct device *`

#include <linux/module.h>
#include <linux/device.h>

static char *my_devnode(struct device *dev, umode_t *mode)
{
	return NULL;
}

void set(struct class *class)
{
	class->devnode = my_devnode;
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
