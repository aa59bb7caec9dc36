// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 2.6.39, the big kernel lock is gone

#include <linux/module.h>
#include <linux/smp_lock.h>

void work(void)
{
	lock_kernel();
	unlock_kernel();
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
