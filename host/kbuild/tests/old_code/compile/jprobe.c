// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.19, jprobes are gone

#include <linux/module.h>
#include <linux/kprobes.h>

static struct jprobe my_probe = { .entry = NULL };

int start(void)
{
	return register_jprobe(&my_probe);
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
