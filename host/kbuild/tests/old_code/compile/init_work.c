// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 2.6.20, work has no data

#include <linux/module.h>
#include <linux/workqueue.h>

static void my_handler(void *data)
{
}

static struct work_struct my_work;

void go(void)
{
	INIT_WORK(&my_work, my_handler, NULL);
	schedule_work(&my_work);
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
