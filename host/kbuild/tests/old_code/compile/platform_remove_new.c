// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.1: before Linux 6.11, `remove` of a platform driver returns an `int`

#include <linux/module.h>
#include <linux/platform_device.h>

static void my_remove(struct platform_device *pdev)
{
}

static struct platform_driver my_driver = {
	.remove = my_remove,
	.driver = { .name = "new" },
};
module_platform_driver(my_driver);
MODULE_LICENSE("GPL");
