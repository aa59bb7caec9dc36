// SPDX-License-Identifier: GPL-2.0-only
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "shim.h"

void koru_wait_queue_init(struct wait_queue_head *queue, const char *name, struct lock_class_key *key)
{
	__init_waitqueue_head(queue, name, key);
}

void koru_wait_prepare(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state)
{
	init_wait(entry);
	prepare_to_wait_exclusive(queue, entry, state);
}

/*
 * A kernel thread's stop wakes it, but only if it sleeps already: so it looks once
 * more after it has said that it is about to.
 */
long koru_wait_sleep(long timeout, int kthread)
{
	if (kthread && kthread_should_stop())
		return timeout;
	return schedule_timeout(timeout);
}

void koru_wait_finish(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	finish_wait(queue, entry);
}

void koru_wake_up(struct wait_queue_head *queue, int count, int sync)
{
	if (sync)
		__wake_up_sync(queue, TASK_NORMAL);
	else
		__wake_up(queue, TASK_NORMAL, count, NULL);
}

void koru_completion_init(struct completion *completion)
{
	init_completion(completion);
}

void koru_complete_all(struct completion *completion)
{
	complete_all(completion);
}

void koru_wait_for_completion(struct completion *completion)
{
	wait_for_completion(completion);
}
