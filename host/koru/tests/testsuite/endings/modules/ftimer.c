// SPDX-License-Identifier: MIT OR Apache-2.0
/* Wrong: its exit does not stop its timer, which is a variable or on the heap. */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

static bool heap;
module_param(heap, bool, 0444);

static void tick(struct timer_list *timer)
{
	mod_timer(timer, jiffies + HZ / 2);
}

static DEFINE_TIMER(of_module, tick);

static int __init ftimer_init(void)
{
	struct timer_list *timer = &of_module;

	if (heap) {
		timer = kzalloc(sizeof(*timer), GFP_KERNEL);
		if (!timer)
			return -ENOMEM;
		timer_setup(timer, tick, 0);
	}
	mod_timer(timer, jiffies + HZ / 2);
	return 0;
}

static void __exit ftimer_exit(void)
{
}

module_init(ftimer_init);
module_exit(ftimer_exit);

MODULE_LICENSE("GPL");
