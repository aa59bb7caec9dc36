// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 6.1, `prandom_u32` is called `get_random_u32`
// on 6.12: since Linux 6.2, `prandom_u32_max` is called `get_random_u32_below`
// rewritten: compiles

#include <linux/module.h>
#include <linux/random.h>
#include <linux/prandom.h>

u32 roll(void)
{
	return prandom_u32() + prandom_u32_max(6);
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
