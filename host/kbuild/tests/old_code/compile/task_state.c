// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.14, a task's `state` is called `__state`
// rewritten: compiles

#include <linux/module.h>
#include <linux/sched.h>

long of(struct task_struct *task)
{
	long state = task->state;

	return state;
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
