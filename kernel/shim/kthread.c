// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "overdue.h"
#include "shim.h"

/*
 * Does what kthread_run() does, and takes a reference, so that kthread_stop() can be called for
 * a thread that has exited by itself.
 */
struct task_struct *koru_kthread_run(int (*run)(void *data), void *data, const char *name)
{
	struct task_struct *task = kthread_create(run, data, "%s", name);

	if (IS_ERR(task))
		return task;
	get_task_struct(task);
	wake_up_process(task);
	return task;
}

void koru_kthread_stop(struct task_struct *task)
{
	struct koru_overdue overdue;

	koru_overdue_begin(&overdue, "the end of the kernel thread ", task->comm,
			   "Either it does not look at should_stop(); or it waits for a lock that "
			   "is held by whoever stops it, or was never given back.");
	kthread_stop(task);
	koru_overdue_end(&overdue);
	put_task_struct(task);
}

int koru_kthread_should_stop(void)
{
	return kthread_should_stop();
}

void koru_kthread_sleep(unsigned long ticks)
{
	unsigned long end = jiffies + ticks;

	for (;;) {
		long remaining = end - jiffies;

		/* An idle task counts neither as load nor as a hung task. */
		set_current_state(TASK_IDLE);
		if (remaining <= 0 || kthread_should_stop())
			break;
		schedule_timeout(remaining);
	}
	__set_current_state(TASK_RUNNING);
	/* This is also for calls that do not wait: a loop of them must not keep the CPU. */
	cond_resched();
}
