// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.8, `daemonize` is gone

#include <linux/module.h>
#include <linux/sched.h>

void thread(void)
{
	daemonize("old");
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
