// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: a module has no C library: `kmalloc`
// on all: a module has no C library: `kfree`

#include <linux/module.h>

void *get(void)
{
	void *p = malloc(8);

	free(p);
	return p;
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
