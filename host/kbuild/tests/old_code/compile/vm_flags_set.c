// SPDX-License-Identifier: MIT OR Apache-2.0

#include <linux/module.h>
#include <linux/mm.h>

int my_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_IO ? 1 : 0;
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
