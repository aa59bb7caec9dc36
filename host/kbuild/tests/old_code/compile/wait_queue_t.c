// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.13, `wait_queue_t` is called `wait_queue_entry_t`
// rewritten: compiles

#include <linux/module.h>
#include <linux/wait.h>

void wait(void)
{
	wait_queue_t wait;

	init_wait(&wait);
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
