// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "overdue.h"

#define SECONDS 10

static void report(struct work_struct *work)
{
	struct koru_overdue *overdue =
		container_of(to_delayed_work(work), struct koru_overdue, work);

	/* The host's tools recognise the beginning of this message. */
	printk(KERN_WARNING
	       "rust_kernel: %s still waits for %s%s: process %d (%s) has done so for %d seconds, "
	       "and cannot be killed. %s\n",
	       THIS_MODULE->name, overdue->kind, overdue->name, overdue->pid, overdue->comm,
	       SECONDS, overdue->reason);
}

void koru_overdue_begin(struct koru_overdue *overdue, const char *kind, const char *name,
			const char *reason)
{
	overdue->kind = kind;
	overdue->name = name;
	overdue->reason = reason;
	overdue->pid = task_pid_nr(current);
	get_task_comm(overdue->comm, current);
	INIT_DELAYED_WORK_ONSTACK(&overdue->work, report);
	schedule_delayed_work(&overdue->work, SECONDS * HZ);
}

void koru_overdue_end(struct koru_overdue *overdue)
{
	cancel_delayed_work_sync(&overdue->work);
	destroy_delayed_work_on_stack(&overdue->work);
}
