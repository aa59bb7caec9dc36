// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.11, `fault` takes the `struct vm_fault` only

#include <linux/module.h>
#include <linux/mm.h>

static int my_fault(struct vm_area_struct *vma, struct vm_fault *vmf)
{
	return 0;
}

struct vm_operations_struct my_vm_ops = { .fault = my_fault };

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
