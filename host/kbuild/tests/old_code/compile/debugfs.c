// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: `debugfs_create_u32` and the like return nothing

#include <linux/module.h>
#include <linux/debugfs.h>

struct dentry *make(struct dentry *folder, u32 *value)
{
	struct dentry *entry;

	entry = debugfs_create_u32("old", 0444, folder, value);
	return entry;
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
