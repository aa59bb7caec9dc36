// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/smp.h>
#include <linux/uidgid.h>

#include "shim.h"

struct task_struct *koru_current(void)
{
	return current;
}

/* The result is right where preemption is disabled; elsewhere it may be outdated already. */
unsigned int koru_smp_processor_id(void)
{
	return raw_smp_processor_id();
}

int koru_task_pid(const struct task_struct *task)
{
	return task->pid;
}

int koru_task_tgid(const struct task_struct *task)
{
	return task->tgid;
}

int koru_signal_pending(struct task_struct *task)
{
	return signal_pending(task);
}

void koru_cond_resched(void)
{
	cond_resched();
}

void koru_might_sleep(const char *file, int line)
{
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	/* Up to 5.16 the check also takes an offset of the preempt count. */
	if (__builtin_types_compatible_p(typeof(__might_sleep), void(const char *, int, int)))
		((void (*)(const char *, int, int))__might_sleep)(file, line, 0);
	else
		((void (*)(const char *, int))__might_sleep)(file, line);
#endif
	might_resched();
}

void koru_get_task(struct task_struct *task)
{
	get_task_struct(task);
}

void koru_put_task(struct task_struct *task)
{
	put_task_struct(task);
}

/*
 * Returns the leader with a reference. Once a task is reaped nothing keeps its leader
 * alive, so the pointer is not followed then, and the task stands for itself. If it is seen
 * alive under RCU, its leader is freed no sooner than a grace period later.
 */
struct task_struct *koru_task_group_leader(struct task_struct *task)
{
	struct task_struct *leader = task;

	rcu_read_lock();
	if (pid_alive(task))
		leader = READ_ONCE(task->group_leader);
	get_task_struct(leader);
	rcu_read_unlock();
	return leader;
}

int koru_wake_up_process(struct task_struct *task)
{
	return wake_up_process(task);
}

/* The credentials of a task are freed with the last reference to it. */
unsigned int koru_task_uid(struct task_struct *task)
{
	return __kuid_val(task_uid(task));
}

unsigned int koru_task_euid(struct task_struct *task)
{
	return __kuid_val(task_cred_xxx(task, euid));
}

unsigned int koru_uid_in_current_ns(unsigned int uid)
{
	return from_kuid(current_user_ns(), KUIDT_INIT(uid));
}
