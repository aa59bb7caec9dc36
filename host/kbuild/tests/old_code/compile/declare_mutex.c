// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.1: since Linux 2.6.37, `DECLARE_MUTEX` is called
// on 6.12: since Linux 6.4, `DECLARE_MUTEX` is gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/semaphore.h>

static DECLARE_MUTEX(my_mutex);

void work(void)
{
	up(&my_mutex);
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
