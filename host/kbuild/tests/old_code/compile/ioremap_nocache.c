// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.6, `ioremap_nocache` is called `ioremap`
// rewritten: compiles

#include <linux/module.h>
#include <linux/io.h>

void __iomem *map(void)
{
	return ioremap_nocache(0x1000, 16);
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
