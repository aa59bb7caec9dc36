// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.0, `blk_init_queue` is gone
// on 6.1: since Linux 5.15, `alloc_disk` is gone
// on 6.12: since Linux 6.9, `blk_alloc_disk` makes a disk

#include <linux/module.h>
#include <linux/blkdev.h>

void *make(void *request)
{
	return alloc_disk(1) ? blk_init_queue(request, NULL) : NULL;
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
