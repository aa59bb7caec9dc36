/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KORU_OVERDUE_H
#define KORU_OVERDUE_H

#include <linux/sched.h>
#include <linux/workqueue.h>

/*
 * Watches over a wait that safe code can make last for ever, and for which nobody
 * can be killed: after ten seconds one record says who waits, to end what, and what
 * may keep it. It lies on the stack of the task that waits, between begin and end.
 */
struct koru_overdue {
	struct delayed_work work;
	const char *kind;
	const char *name;
	const char *reason;
	char comm[TASK_COMM_LEN];
	pid_t pid;
};

/* The texts are used until koru_overdue_end(). Both sleep. */
void koru_overdue_begin(struct koru_overdue *overdue, const char *kind, const char *name,
			const char *reason);
void koru_overdue_end(struct koru_overdue *overdue);

#endif
