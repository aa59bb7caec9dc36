// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: modules cannot use `kernel_thread`

#include <linux/module.h>

/* Its parameters differ from kernel to kernel. */
extern int start_thread_of_old(void) __asm__("kernel_thread");

int start(void)
{
	return start_thread_of_old();
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
