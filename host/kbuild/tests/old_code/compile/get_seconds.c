// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.11, `get_seconds` is called `ktime_get_real_seconds`
// rewritten: compiles

#include <linux/module.h>

long long now(void)
{
	return get_seconds();
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
