// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "shim.h"

struct task_struct *koru_current(void)
{
	return current;
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

void koru_might_sleep(const char *file, int line)
{
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	/* Up to 5.16 there is an offset of the preempt count, too. */
	if (__builtin_types_compatible_p(typeof(__might_sleep), void(const char *, int, int)))
		((void (*)(const char *, int, int))__might_sleep)(file, line, 0);
	else
		((void (*)(const char *, int))__might_sleep)(file, line);
#endif
	might_resched();
}
