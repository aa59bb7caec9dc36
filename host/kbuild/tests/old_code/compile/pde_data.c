// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.17, `PDE_DATA` is called `pde_data`
// rewritten: compiles

#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static int my_show(struct seq_file *m, void *v) { return 0; }

int my_open(struct inode *inode, struct file *file)
{
	return single_open(file, my_show, PDE_DATA(inode));
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
