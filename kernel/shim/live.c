// SPDX-License-Identifier: GPL-2.0-only
#include <linux/completion.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "shim.h"

/* Threads that ended without anybody who waits for them. */
static DECLARE_COMPLETION(left);

/*
 * Ends the calling kernel thread, and drops the reference that
 * koru_kthread_spawn() took. Whoever sees it by koru_thread_left() knows that it
 * does not return to the module's code: it completes and exits in the kernel's.
 */
void koru_thread_leave(void)
{
	put_task_struct(current);
	kthread_complete_and_exit(&left, 0);
}

int koru_thread_left(void)
{
	return try_wait_for_completion(&left);
}

void koru_idle(unsigned long ticks)
{
	schedule_timeout_idle(ticks);
	try_to_freeze();
}
