// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.0, `do_gettimeofday` is gone
// on all: since Linux 5.6, the kernel has no `struct timeval`

#include <linux/module.h>
#include <linux/time.h>

long long now(void)
{
	struct timeval tv;

	do_gettimeofday(&tv);
	return tv.tv_sec;
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
