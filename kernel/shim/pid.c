// SPDX-License-Identifier: GPL-2.0-only
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "shim.h"

struct pid *koru_task_process(struct task_struct *task)
{
	return get_task_pid(task, PIDTYPE_TGID);
}

/*
 * A pid that somebody holds is not used again, so that comparing addresses
 * suffices, and nothing is read through the task's pointer.
 */
int koru_task_belongs_to(struct task_struct *task, const struct pid *pid)
{
	int same;

	rcu_read_lock();
	same = task_tgid(task) == pid;
	rcu_read_unlock();
	return same;
}

void koru_get_pid(struct pid *pid)
{
	get_pid(pid);
}

void koru_put_pid(struct pid *pid)
{
	put_pid(pid);
}

int koru_pid_nr(struct pid *pid)
{
	return pid_nr(pid);
}
