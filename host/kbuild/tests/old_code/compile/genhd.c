// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.18, <linux/genhd.h> is <linux/blkdev.h>
// rewritten: compiles

#include <linux/module.h>
#include <linux/genhd.h>

int minors(struct gendisk *disk)
{
	return disk->minors;
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
