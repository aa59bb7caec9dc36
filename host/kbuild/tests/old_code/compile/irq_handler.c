// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 2.6.19, the handler of an interrupt takes no `struct pt_regs *`
// on all: `SA_SHIRQ` is called `IRQF_SHARED`

#include <linux/module.h>
#include <linux/interrupt.h>

static irqreturn_t my_handler(int irq, void *data, struct pt_regs *regs)
{
	return IRQ_HANDLED;
}

int start(void)
{
	return request_irq(1, my_handler, SA_SHIRQ, "old", &my_handler);
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
