// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: `kthread_stop` is declared in <linux/kthread.h>
// rewritten: compiles

#include <linux/module.h>

int stop(struct task_struct *task)
{
	return kthread_stop(task);
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
