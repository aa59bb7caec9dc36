// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.10, `create_proc_entry` is gone
// on all: since Linux 3.10, the members of a `struct proc_dir_entry` are private

#include <linux/module.h>
#include <linux/proc_fs.h>

static int my_read(char *page, char **start, off_t off, int count, int *eof, void *data) { return 0; }

void make(void)
{
	struct proc_dir_entry *entry = create_proc_entry("old", 0644, NULL);

	entry->read_proc = my_read;
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
