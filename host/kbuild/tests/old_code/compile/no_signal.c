// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.1: `for_each_process` is declared in <linux/sched/signal.h>

#include <linux/module.h>

int count(void)
{
	struct task_struct *task;
	int n = 0;

	for_each_process(task)
		n++;
	return n;
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
