// SPDX-License-Identifier: GPL-2.0-only
#include <linux/completion.h>
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

/* After koru_wait_prepare(), the caller checks for those who wake without the queue. */
long koru_wait_sleep(long timeout)
{
	return schedule_timeout(timeout);
}

/*
 * Returns whether a wake-up took the entry off the queue. If so, it chose this waiter, and
 * no other if it was to wake one. This takes the queue's lock, because the waker must be
 * done with an entry that is on our stack.
 */
int koru_wait_finish(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
	unsigned long flags;
	bool woken;

	__set_current_state(TASK_RUNNING);
	spin_lock_irqsave(&queue->lock, flags);
	woken = list_empty(&entry->entry);
	list_del_init(&entry->entry);
	spin_unlock_irqrestore(&queue->lock, flags);
	return woken;
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
