// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: its exit does not stop its timer. */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/timer.h>

static void tick(struct timer_list *unused);
static DEFINE_TIMER(timer, tick);

static void tick(struct timer_list *unused)
{
	mod_timer(&timer, jiffies + HZ / 5);
}

static int __init ftimer_init(void)
{
	mod_timer(&timer, jiffies + HZ / 5);
	return 0;
}

static void __exit ftimer_exit(void)
{
}

module_init(ftimer_init);
module_exit(ftimer_exit);

MODULE_LICENSE("GPL");
