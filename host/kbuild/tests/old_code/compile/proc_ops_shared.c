// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.6, `proc_create` takes a `struct proc_ops`

#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/miscdevice.h>

static struct file_operations both = { .owner = THIS_MODULE };
static struct miscdevice dev = { .name = "old", .fops = &both };

static int __init old_init(void)
{
	proc_create("old", 0, NULL, &both);
	return misc_register(&dev);
}

module_init(old_init);
MODULE_LICENSE("GPL");
