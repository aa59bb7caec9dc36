// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.12, `no_llseek` is gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/fs.h>

const struct file_operations my_fops = {
	.owner = THIS_MODULE,
	.llseek = no_llseek,
};
const struct file_operations other_fops = { .llseek = no_llseek, .owner = THIS_MODULE };

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
