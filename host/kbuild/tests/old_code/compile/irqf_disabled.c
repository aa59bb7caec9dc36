// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.1, `IRQF_DISABLED` is gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/interrupt.h>

int flags(void)
{
	return IRQF_SHARED | IRQF_DISABLED;
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
