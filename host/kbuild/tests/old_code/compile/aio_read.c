// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.1, `aio_read` and `aio_write` are gone

#include <linux/module.h>
#include <linux/fs.h>

const struct file_operations my_fops = { .aio_read = NULL };

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
