// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 2.6.37, `init_MUTEX` is gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/semaphore.h>

void make(struct semaphore *sem)
{
	init_MUTEX(sem);
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
