// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.18, `create_proc_read_entry` is gone

#include <linux/module.h>
#include <linux/proc_fs.h>

static int my_read(char *page, char **start, off_t off, int count, int *eof, void *data) { return 0; }

void make(void)
{
	create_proc_read_entry("old", 0, NULL, my_read, NULL);
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
