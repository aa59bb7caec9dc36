// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.18, the DMA functions of PCI are gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/pci.h>

void *get(struct pci_dev *pdev, dma_addr_t *address)
{
	return pci_alloc_consistent(pdev, 64, address);
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
