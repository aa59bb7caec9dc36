// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong: the messages lack their newline and level, and the second one comes in a
 * record that opens like a kernel error.
 */
#include <linux/init.h>
#include <linux/module.h>

static int __init hello_init(void)
{
	printk("Hello world");
	return 0;
}

static void __exit hello_exit(void)
{
	printk(KERN_ERR "Goodbye");
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
