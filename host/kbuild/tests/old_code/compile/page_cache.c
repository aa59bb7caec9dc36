// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.6, `PAGE_CACHE_SIZE` is called `PAGE_SIZE`
// rewritten: compiles

#include <linux/module.h>
#include <linux/pagemap.h>

unsigned long size(void)
{
	return PAGE_CACHE_SIZE;
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
