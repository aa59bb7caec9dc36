// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/freezer.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "idle.h"
#include "shim.h"

#ifndef KORU_HAS_KTHREAD_EXIT
#define kthread_complete_and_exit complete_and_exit
#endif

/* Counts detached threads that have exited: nobody waits for one of them. */
static DECLARE_COMPLETION(detached_exited);

/*
 * Exits the calling kernel thread, and drops the reference that koru_kthread_run() took.
 * Once that is complete, it does not return to the module's code: it exits in the kernel's.
 */
void koru_kthread_exit_detached(void)
{
	put_task_struct(current);
	kthread_complete_and_exit(&detached_exited, 0);
}

void koru_idle(unsigned long ticks)
{
	schedule_timeout_idle(ticks);
	try_to_freeze();
}

/*
 * The numbers of what the module has registered, in the order of `kinds`: live.rs has the
 * variable, and only if the module can register anything.
 */
extern atomic_long_t koru_registered[];

/* The build calls this instead of koru_wait_until_unregistered() if there is no variable. */
void koru_nothing_registered(int errno);
void koru_nothing_registered(int errno)
{
}

struct kind {
	const char *one, *several;
};

static const struct kind kinds[] = {
	{ "kernel thread", "kernel threads" },
	{ "file in /proc", "files in /proc" },
	{ "misc device", "misc devices" },
	{ "kprobe", "kprobes" },
};

static bool all_dropped(atomic_long_t *counts)
{
	int kind;

	/* The acquire orders what the end of a registration did before the end of the module. */
	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		if (atomic_long_read_acquire(&counts[kind]))
			return false;
	return true;
}

/* Says what is left. The host's tools recognise the beginning of this message. */
static noinline void report(atomic_long_t *counts, int errno)
{
	char why[40] = "its exit ended", left[120] = "";
	int kind, len = 0;

	if (errno)
		scnprintf(why, sizeof(why), "its init failed (errno %d)", -errno);
	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		long count = atomic_long_read(&counts[kind]);

		if (count)
			len += scnprintf(left + len, sizeof(left) - len, "%s%ld %s", len ? ", " : "",
					 count, count == 1 ? kinds[kind].one : kinds[kind].several);
	}
	printk(KERN_EMERG "rust_kernel: %s must stay in memory: %s with %s still registered, never "
	       "dropped. Look for mem::forget, leak(), a static, or an Arc cycle (such as a thread "
	       "whose closure holds the Arc that owns the thread). This process waits until all is "
	       "dropped.\n", THIS_MODULE->name, why, left);
}

void koru_report_wait_for_itself(const char *what)
{
	/* The host's tools recognise the beginning of this message. */
	printk(KERN_EMERG "rust_kernel: %s must stay in memory: process %d %s, and would wait for its "
	       "own end. It never returns.\n", THIS_MODULE->name, current->pid, what);
	for (;;)
		koru_idle(HZ);
}

/*
 * Neither an exit nor a failed init can be cancelled, so this does not return while something
 * is registered. The process sleeps: idle, so that it counts neither as load nor as a hung
 * task, and without a lock.
 */
void koru_wait_until_unregistered(int errno)
{
	atomic_long_t *counts = koru_registered;
	unsigned long waited = 0;

	for (;;) {
		while (try_wait_for_completion(&detached_exited))
			atomic_long_dec(&counts[0]);
		if (all_dropped(counts))
			break;
		/* A thread that is just about to exit is not worth a record. */
		if (waited == HZ)
			report(counts, errno);
		koru_idle(waited < HZ ? 1 : HZ / 10);
		/* At most one more than the time of the report. */
		waited += waited <= HZ;
	}
	if (waited > HZ)
		printk(KERN_EMERG "rust_kernel: %s may go now: all is dropped\n", THIS_MODULE->name);
}
