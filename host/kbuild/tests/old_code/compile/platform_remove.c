// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.11, `remove` of a platform driver returns nothing
// rewritten: compiles

#include <linux/module.h>
#include <linux/platform_device.h>

static int my_remove(struct platform_device *pdev)
{
	if (!platform_get_drvdata(pdev))
		return 0;
	pr_info("removed\n");
	return 0;
}

static struct platform_driver my_driver = {
	.remove = my_remove,
	.driver = { .name = "old" },
};
module_platform_driver(my_driver);
MODULE_LICENSE("GPL");
