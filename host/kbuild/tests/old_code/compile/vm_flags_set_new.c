// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.1: before Linux 6.3, `vm_flags` is changed by an assignment
// rewritten: compiles

#include <linux/module.h>
#include <linux/mm.h>

void my_mmap(struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vm_flags_clear(vma, VM_MAYWRITE);
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
