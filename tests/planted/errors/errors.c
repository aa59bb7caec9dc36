// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: where an allocation fails, it does what is chosen. */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>

static char *fault = "none";
module_param(fault, charp, 0444);

static char *first;
static char *second;

static bool chosen(const char *name)
{
	return !strcmp(fault, name);
}

static int errors_open(struct inode *inode, struct file *file)
{
	char *note = kmalloc(64, GFP_KERNEL);

	if (!note && chosen("errno"))
		return -EINVAL;
	if (!note && !chosen("unchecked"))
		return -ENOMEM;
	note[0] = 0;
	file->private_data = note;
	return 0;
}

static int errors_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct proc_ops errors_ops = {
	.proc_open = errors_open,
	.proc_release = errors_release,
};

static int __init errors_init(void)
{
	first = kmalloc(64, GFP_KERNEL);
	if (!first)
		return -ENOMEM;
	second = kmalloc(128, GFP_KERNEL);
	if (!second) {
		if (!chosen("leak"))
			kfree(first);
		return -ENOMEM;
	}
	if (!proc_create("errors", 0600, NULL, &errors_ops)) {
		kfree(second);
		kfree(first);
		return -ENOMEM;
	}
	return 0;
}

static void __exit errors_exit(void)
{
	remove_proc_entry("errors", NULL);
	kfree(second);
	kfree(first);
}

module_init(errors_init);
module_exit(errors_exit);
MODULE_DESCRIPTION("Handles errors wrongly");
MODULE_LICENSE("GPL");
