// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.15, <stdarg.h> is <linux/stdarg.h>
// rewritten: compiles

#include <linux/module.h>
#include <stdarg.h>

int count(int n, ...)
{
	va_list list;

	va_start(list, n);
	n = va_arg(list, int);
	va_end(list);
	return n;
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
