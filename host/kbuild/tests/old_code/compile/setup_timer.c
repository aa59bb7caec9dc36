// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.15, `setup_timer` is gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/timer.h>

static struct timer_list my_timer;

static void my_handler(unsigned long data)
{
	mod_timer(&my_timer, jiffies + HZ);
}

void start(void)
{
	setup_timer(&my_timer, my_handler, 0);
	mod_timer(&my_timer, jiffies + HZ);
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
