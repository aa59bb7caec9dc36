// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.4, `DEFINE_SEMAPHORE` takes the count
// rewritten: compiles

#include <linux/module.h>
#include <linux/semaphore.h>

static DEFINE_SEMAPHORE(my_sem);

void work(void)
{
	up(&my_sem);
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
