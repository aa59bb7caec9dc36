// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.10, x86 has no `set_fs`

#include <linux/module.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

void read_it(void)
{
	mm_segment_t old_fs = get_fs();

	set_fs(KERNEL_DS);
	set_fs(old_fs);
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
