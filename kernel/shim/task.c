// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "shim.h"

void *koru_current(void)
{
	return current;
}

int koru_task_pid(const void *task)
{
	return ((const struct task_struct *)task)->pid;
}

int koru_task_tgid(const void *task)
{
	return ((const struct task_struct *)task)->tgid;
}

int koru_signal_pending(void *task)
{
	return signal_pending((struct task_struct *)task);
}

void koru_might_sleep(const char *file, int line)
{
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	__might_sleep(file, line);
#endif
	might_resched();
}
