// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.15, `DEFINE_TIMER` takes the name and the handler only

#include <linux/module.h>
#include <linux/timer.h>

static void my_handler(unsigned long data)
{
}

static DEFINE_TIMER(my_timer, my_handler, 0, 0);

void start(void)
{
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
