// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system calls 548 to 550 for the elevator, on a kernel that nobody has rebuilt.
 *
 * Nothing in the kernel's table can be added. But a probe of the tracepoint sys_enter may change the
 * number of a call, and the numbers from 336 to 423 lead to __x64_sys_ni_syscall, where a
 * kprobe goes on in a function of this module. It runs as any system call does, and may sleep.
 */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

/* The first number that programs use, and the first one that stands for it. */
#define FIRST 548
#define GAP 340
#define CALLS 3

/* The module under test sets these while it is loaded, and clears them before it goes. */
int (*STUB_start_elevator)(void);
EXPORT_SYMBOL(STUB_start_elevator);
int (*STUB_issue_request)(int start_floor, int destination_floor, int type);
EXPORT_SYMBOL(STUB_issue_request);
int (*STUB_stop_elevator)(void);
EXPORT_SYMBOL(STUB_stop_elevator);

static struct tracepoint *sys_enter;

static long elevator_call(const struct pt_regs *regs)
{
	int (*start)(void) = READ_ONCE(STUB_start_elevator);
	int (*request)(int, int, int) = READ_ONCE(STUB_issue_request);
	int (*stop)(void) = READ_ONCE(STUB_stop_elevator);

	switch (regs->orig_ax - GAP) {
	case 0:
		return start ? start() : -ENOSYS;
	case 1:
		return request ? request(regs->di, regs->si, regs->dx) : -ENOSYS;
	case 2:
		return stop ? stop() : -ENOSYS;
	}
	return -ENOSYS;
}

static void renumber(void *data, struct pt_regs *regs, long number)
{
	if (number >= FIRST && number < FIRST + CALLS)
		regs->orig_ax = number - FIRST + GAP;
}

static int go_on(struct kprobe *probe, struct pt_regs *regs)
{
	const struct pt_regs *call = (const struct pt_regs *)regs->di;

	if (call->orig_ax < GAP || call->orig_ax >= GAP + CALLS)
		return 0;
	regs->ip = (unsigned long)elevator_call;
	return 1;
}

/* With this, the kprobe is not optimised into a jump, which would forget the changed address. */
static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.symbol_name = "__x64_sys_ni_syscall",
	.pre_handler = go_on,
	.post_handler = after,
};

static void find(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, "sys_enter"))
		sys_enter = point;
}

static int __init calls_init(void)
{
	int result;

	for_each_kernel_tracepoint(find, NULL);
	if (!sys_enter)
		return -ENOENT;
	result = register_kprobe(&probe);
	if (result)
		return result;
	result = tracepoint_probe_register(sys_enter, renumber, NULL);
	if (result)
		unregister_kprobe(&probe);
	return result;
}

static void __exit calls_exit(void)
{
	tracepoint_probe_unregister(sys_enter, renumber, NULL);
	tracepoint_synchronize_unregister();
	unregister_kprobe(&probe);
}

module_init(calls_init);
module_exit(calls_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("System calls for the elevator");
