// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "overdue.h"
#include "idle.h"
#include "shim.h"

void koru_work_init(struct work_struct *work, koru_work_t run, const char *name,
		    struct lock_class_key *key)
{
	__init_work(work, 0);
	work->data = (atomic_long_t)WORK_DATA_INIT();
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&work->lockdep_map, name, key, 0);
#endif
	INIT_LIST_HEAD(&work->entry);
	work->func = run;
}

void koru_delayed_work_init(struct delayed_work *work, koru_work_t run, const char *name,
			    struct lock_class_key *key)
{
	koru_work_init(&work->work, run, name, key);
	timer_setup(&work->timer, delayed_work_timer_fn, TIMER_IRQSAFE);
}

struct workqueue_struct *koru_system_queue(int which)
{
	switch (which) {
	case 1:
		return system_highpri_wq;
	case 2:
		return system_long_wq;
	case 4:
		return system_freezable_wq;
	case 5:
		return system_power_efficient_wq;
	case 6:
		return system_freezable_power_efficient_wq;
#ifdef KORU_HAS_SYSTEM_PERCPU_WQ
	case 3:
		return system_dfl_wq;
	default:
		return system_percpu_wq;
#else
	case 3:
		return system_unbound_wq;
	default:
		return system_wq;
#endif
	}
}

/*
 * How often work was queued or a timer was started, how often the work has run, the timer's
 * handle was dropped or either was refused, and whether the module is about to go: pending.rs
 * has the variable, and only if the module can do one of both.
 */
extern atomic_long_t koru_queued_works[3];

/*
 * Waits until no work can call the module's code any more. The build calls this instead of
 * koru_nothing_registered() if the module has the variable.
 */
void koru_wait_for_works(int errno);
void koru_wait_for_works(int errno)
{
	struct koru_overdue overdue;

	/* From now on work is refused. This is a full barrier, so what was not is counted. */
	atomic_long_xchg(&koru_queued_works[2], 1);
	if (!atomic_long_read(&koru_queued_works[0]))
		return;
	koru_overdue_begin(&overdue, "the end of the queued work and timers of ", THIS_MODULE->name,
			   "Either a work item does not return, or it was queued with a long delay, "
			   "or the handle of a timer was never dropped, as by mem::forget.");
	for (;;) {
		/* First what has ended: what is refused in between would be counted as ended only. */
		long ended = atomic_long_read_acquire(&koru_queued_works[1]);

		if (ended == atomic_long_read(&koru_queued_works[0]))
			break;
		koru_idle(1);
	}
	koru_overdue_end(&overdue);
	/*
	 * The threads may not have left the module's code yet. They do not sleep on their way, so
	 * they have once every task has slept. (Without preemption it is the same as
	 * synchronize_rcu().)
	 */
	synchronize_rcu_tasks();
}

/* The same, for a module that can register something as well. */
void koru_wait_for_works_and_unregistered(int errno);
void koru_wait_for_works_and_unregistered(int errno)
{
	koru_wait_for_works(errno);
	koru_wait_until_unregistered(errno);
}
