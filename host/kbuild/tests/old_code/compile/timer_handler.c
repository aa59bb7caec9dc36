// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.15, the handler of a timer takes a `struct timer_list *`
// rewritten: compiles

#include <linux/module.h>
#include <linux/timer.h>

static void my_handler(unsigned long unused)
{
}

static struct timer_list my_timer;

void start(void)
{
	timer_setup(&my_timer, my_handler, 0);
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
