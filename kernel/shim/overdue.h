/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KORU_OVERDUE_H
#define KORU_OVERDUE_H

#include <linux/sched.h>
#include <linux/workqueue.h>

/*
 * Watches a wait that safe code can make last for ever, during which the task cannot be
 * killed. After ten seconds one record says which task waits, for what, and what may be the
 * reason. The structure is on the stack of the waiting task, between begin and end.
 */
struct koru_overdue {
	struct delayed_work work;
	const char *kind;
	const char *name;
	const char *reason;
	char comm[TASK_COMM_LEN];
	pid_t pid;
};

/* The texts must be valid until koru_overdue_end(). Both functions sleep. */
void koru_overdue_begin(struct koru_overdue *overdue, const char *kind, const char *name,
			const char *reason);
void koru_overdue_end(struct koru_overdue *overdue);

#endif
