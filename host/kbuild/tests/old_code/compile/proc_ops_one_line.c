// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.6, `proc_create` takes a `struct proc_ops`
// rewritten: compiles

#include <linux/module.h>
#include <linux/proc_fs.h>

static struct file_operations ops = { .owner = THIS_MODULE };
static int __init oldapi_init(void) { proc_create("oldapi", 0, NULL, &ops); return 0; }
static void __exit oldapi_exit(void) { remove_proc_entry("oldapi", NULL); }
module_init(oldapi_init); module_exit(oldapi_exit);
MODULE_LICENSE("GPL");
