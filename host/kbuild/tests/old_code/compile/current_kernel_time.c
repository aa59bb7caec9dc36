// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.6, `current_kernel_time` is gone
// on all: since Linux 5.6, the kernel has no `struct timespec`
// rewritten: compiles

#include <linux/module.h>
#include <linux/time.h>
#include <linux/timekeeping.h>

long long now(void)
{
	struct timespec ts = current_kernel_time();
	struct timespec other;

	other = current_kernel_time();
	return ts.tv_sec + other.tv_nsec;
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
