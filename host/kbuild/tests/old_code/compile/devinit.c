// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.8, `__devinit`, `__devexit` and `__devexit_p` are gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/platform_device.h>

static int __devinit my_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver my_driver = {
	.probe = my_probe,
	.driver = { .name = "old" },
};
module_platform_driver(my_driver);
MODULE_LICENSE("GPL");
