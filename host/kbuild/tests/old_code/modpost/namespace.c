// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: `dma_buf_get` is in the namespace DMA_BUF

#include <linux/module.h>
#include <linux/dma-buf.h>

struct dma_buf *get(void)
{
	return dma_buf_get(1);
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
