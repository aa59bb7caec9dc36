// SPDX-License-Identifier: MIT OR Apache-2.0
/* Wrong: says what the contract of hello promises, but leaves a folder in debugfs. */
#include <linux/debugfs.h>
#include <linux/module.h>

static int __init hello_init(void)
{
	debugfs_create_dir("hello_forgets", NULL);
	pr_info("Hello world\n");
	return 0;
}

static void __exit hello_exit(void)
{
	pr_info("Goodbye world\n");
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
