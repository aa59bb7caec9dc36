// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: <asm/semaphore.h> is <linux/semaphore.h>
// rewritten: compiles

#include <linux/module.h>
#include <asm/semaphore.h>



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
