// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.6, `getnstimeofday` is called `ktime_get_real_ts64`
// on all: since Linux 5.6, the kernel has no `struct timespec`
// rewritten: compiles

#include <linux/module.h>
#include <linux/time.h>

long long now(void)
{
	struct timespec ts;

	getnstimeofday(&ts);
	return ts.tv_sec;
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
