// SPDX-License-Identifier: GPL-2.0-only
#include <linux/completion.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "shim.h"

/* Counts detached threads that have exited: nobody waits for one of them. */
static DECLARE_COMPLETION(detached_exited);

/*
 * Exits the calling kernel thread, and drops the reference that koru_kthread_run() took.
 * Once koru_kthread_detached_exited() returns true for it, it does not return to the
 * module's code: it completes and exits in the kernel's.
 */
void koru_kthread_exit_detached(void)
{
	put_task_struct(current);
	kthread_complete_and_exit(&detached_exited, 0);
}

int koru_kthread_detached_exited(void)
{
	return try_wait_for_completion(&detached_exited);
}

void koru_idle(unsigned long ticks)
{
	schedule_timeout_idle(ticks);
	try_to_freeze();
}
