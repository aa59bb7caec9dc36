// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: for modules with a GPL-compatible licence only
// rewritten: compiles

#include <linux/module.h>
#include <linux/sched.h>

extern int kthread_stop(struct task_struct *);

void stop(struct task_struct *task)
{
	kthread_stop(task);
	sched_set_fifo(task);
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
MODULE_LICENSE("Proprietary");
