// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.6, directories have `iterate_shared` only
// rewritten: compiles

#include <linux/module.h>
#include <linux/fs.h>

static int my_iterate(struct file *file, struct dir_context *context)
{
	return 0;
}

const struct file_operations my_fops = { .iterate = my_iterate };

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
