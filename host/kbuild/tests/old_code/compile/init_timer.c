// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.15, `init_timer` is gone
// on all: since Linux 4.15, timers have no `data`
// on all: since Linux 4.15, the handler of a timer takes a `struct timer_list *`
// rewritten: compiles

#include <linux/module.h>
#include <linux/timer.h>

static struct timer_list my_timer;

static void my_handler(unsigned long data)
{
	pr_info("timer\n");
}

void start(void)
{
	init_timer(&my_timer);
	my_timer.function = my_handler;
	my_timer.data = 0;
	my_timer.expires = jiffies + HZ;
	add_timer(&my_timer);
}

static int __init old_init(void)
{
	return 0;
}

static void __exit old_exit(void)
{
}

module_init(old_init);
module_exit(old_exit);
MODULE_LICENSE("GPL");
