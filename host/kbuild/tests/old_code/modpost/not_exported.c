// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: modules cannot use `kernel_wait4`: <linux/sched/task.h> declares it

#include <linux/module.h>

extern long wait_of_old(void) __asm__("kernel_wait4");

long call(void)
{
	return wait_of_old();
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
