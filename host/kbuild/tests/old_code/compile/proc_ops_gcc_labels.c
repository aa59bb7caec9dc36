// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.6, `proc_create` takes a `struct proc_ops`
// rewritten: compiles

#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

static ssize_t my_read(struct file *f, char __user *to, size_t n, loff_t *pos) { return 0; }
static ssize_t my_write(struct file *f, const char __user *from, size_t n, loff_t *pos)
{
	return n;
}

struct file_operations my_fops = {
	owner: THIS_MODULE,
	read: my_read,
	write: my_write
};

static struct proc_dir_entry *entry;

static int __init old_init(void)
{
	entry = proc_create("old",
			    0666, NULL,
			    &my_fops);
	return 0;
}

static void __exit old_exit(void)
{
	proc_remove(entry);
}

module_init(old_init);
module_exit(old_exit);
MODULE_LICENSE("GPL");
