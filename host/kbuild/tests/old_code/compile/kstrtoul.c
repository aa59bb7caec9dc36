// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.18, `strict_strtoul` is called `kstrtoul`
// rewritten: compiles

#include <linux/module.h>
#include <linux/kernel.h>

int parse(const char *text, unsigned long *n)
{
	return strict_strtoul(text, 10, n);
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
