// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: `kthread_stopp` is nowhere: neither the kernel nor a module of it has it; did you mean `kthread_stop`

#include <linux/module.h>

extern int kthread_stopp(void *);

int call(void)
{
	return kthread_stopp(NULL);
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
