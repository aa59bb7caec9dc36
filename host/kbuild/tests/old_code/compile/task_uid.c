// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 2.6.29, a task's ids are in its credentials

#include <linux/module.h>
#include <linux/sched.h>

int of(struct task_struct *task)
{
	return task->uid;
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
