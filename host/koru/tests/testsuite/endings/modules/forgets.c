// SPDX-License-Identifier: MIT OR Apache-2.0
/* Wrong: its exit unregisters nothing of what is chosen. */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

static char *what = "proc";
module_param(what, charp, 0444);

static int show(struct seq_file *m, void *v)
{
	seq_puts(m, "hi\n");
	return 0;
}

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "forgets",
};

static int sleeps(void *unused)
{
	/* The code of the kernel's that is called here stays. */
	schedule_timeout_uninterruptible(MAX_SCHEDULE_TIMEOUT);
	return 0;
}

static irqreturn_t handle(int irq, void *cookie)
{
	return IRQ_NONE;
}

static struct pci_driver driver = {
	.name = "forgets",
};

/* With a constructor it is a cache of its own. */
static void construct(void *object)
{
}

static int __init forgets_init(void)
{
	dev_t number;

	if (!strcmp(what, "proc"))
		proc_create_single("forgets", 0444, NULL, show);
	if (!strcmp(what, "below"))
		proc_mkdir("driver/forgets", NULL);
	if (!strcmp(what, "device"))
		return misc_register(&device);
	if (!strcmp(what, "number"))
		return alloc_chrdev_region(&number, 0, 1, "forgets");
	if (!strcmp(what, "debugfs"))
		debugfs_create_dir("forgets", NULL);
	if (!strcmp(what, "thread"))
		return PTR_ERR_OR_ZERO(kthread_run(sleeps, NULL, "forgets"));
	if (!strcmp(what, "queue"))
		return alloc_workqueue("forgets", WQ_MEM_RECLAIM, 0) ? 0 : -ENOMEM;
	if (!strcmp(what, "interrupt"))
		return request_irq(5, handle, IRQF_SHARED, "forgets", &device);
	if (!strcmp(what, "driver"))
		return pci_register_driver(&driver);
	if (!strcmp(what, "cache"))
		return kmem_cache_create("forgets", 24, 0, 0, construct) ? 0 : -ENOMEM;
	return 0;
}

static void __exit forgets_exit(void)
{
}

module_init(forgets_init);
module_exit(forgets_exit);

MODULE_LICENSE("GPL");
