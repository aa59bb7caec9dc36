// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.6, `proc_create` takes a `struct proc_ops`
// rewritten: compiles

#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static int time_show(struct seq_file *m, void *v)
{
	seq_puts(m, "now, {later}\n");
	return 0;
}

static int time_open(struct inode *inode, struct file *file)
{
	return single_open(file, time_show, NULL);
}

static const struct file_operations time_fops = {
	.owner		= THIS_MODULE,
	.open		= time_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init old_init(void)
{
	if (!proc_create("old_time", 0444, NULL, &time_fops))
		return -ENOMEM;
	if (!proc_create_data("old_time2", 0444, NULL, &time_fops, NULL))
		return -ENOMEM;
	return 0;
}

static void __exit old_exit(void)
{
	remove_proc_entry("old_time", NULL);
	remove_proc_entry("old_time2", NULL);
}

module_init(old_init);
module_exit(old_exit);
MODULE_LICENSE("GPL");
