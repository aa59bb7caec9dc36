// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hrtimer.h>
#include <linux/sched/task_stack.h>

#include "shim.h"

static_assert(HRTIMER_MODE_ABS == 0 && HRTIMER_MODE_REL == 1 && HRTIMER_MODE_PINNED == 2 &&
	      HRTIMER_MODE_SOFT == 4 && HRTIMER_MODE_HARD == 8, "shim.h has these numbers");
static_assert(HRTIMER_NORESTART == 0, "shim.h has these numbers");

/* A kernel that checks its timers must be told that one is on the stack. */
void koru_hrtimer_setup(struct hrtimer *timer, koru_hrtimer_t run, int clock,
			enum hrtimer_mode mode)
{
#ifdef KORU_HAS_HRTIMER_SETUP
	if (object_is_on_stack(timer))
		hrtimer_setup_on_stack(timer, run, clock, mode);
	else
		hrtimer_setup(timer, run, clock, mode);
#else
	if (object_is_on_stack(timer))
		hrtimer_init_on_stack(timer, clock, mode);
	else
		hrtimer_init(timer, clock, mode);
	timer->function = run;
#endif
}

/* Only a kernel that checks its timers needs this. */
void koru_hrtimer_destroy(struct hrtimer *timer)
{
	if (object_is_on_stack(timer))
		destroy_hrtimer_on_stack(timer);
}
