// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.12, <asm/unaligned.h> is <linux/unaligned.h>
// rewritten: compiles

#include <linux/module.h>
#include <asm/unaligned.h>

u32 get(const void *p)
{
	return get_unaligned_le32(p);
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
