// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: before Linux 6.13, the argument of `MODULE_IMPORT_NS` is a word
// rewritten: compiles

#include <linux/module.h>
#include <linux/dma-buf.h>

MODULE_IMPORT_NS("DMA_BUF");

void put(struct dma_buf *buf)
{
	dma_buf_put(buf);
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
