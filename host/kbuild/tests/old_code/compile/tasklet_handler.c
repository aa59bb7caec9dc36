// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.9, the handler of a `DECLARE_TASKLET` takes
// rewritten: compiles

#include <linux/module.h>
#include <linux/interrupt.h>

static void my_handler(unsigned long data)
{
}

static DECLARE_TASKLET(my_tasklet, my_handler);

void go(void)
{
	tasklet_schedule(&my_tasklet);
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
