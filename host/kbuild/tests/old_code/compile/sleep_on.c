// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.15, `interruptible_sleep_on` is gone

#include <linux/module.h>
#include <linux/wait.h>

void wait(wait_queue_head_t *queue)
{
	interruptible_sleep_on(queue);
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
