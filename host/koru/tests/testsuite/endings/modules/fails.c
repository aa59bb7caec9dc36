// SPDX-License-Identifier: MIT OR Apache-2.0
/* Its init returns what it is told to, or the errno of what it tries. */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/proc_fs.h>

static int with;
module_param(with, int, 0444);
static char *probe;
module_param(probe, charp, 0444);
static bool twice;
module_param(twice, bool, 0444);

static struct kprobe kprobe;
static const struct proc_ops ops;

static int __init fails_init(void)
{
	if (twice) {
		proc_mkdir("fails", NULL);
		proc_create("fails", 0444, NULL, &ops);
		remove_proc_entry("fails", NULL);
	}
	if (probe) {
		kprobe.symbol_name = probe;
		return register_kprobe(&kprobe);
	}
	return with;
}

static void __exit fails_exit(void)
{
}

module_init(fails_init);
module_exit(fails_exit);

MODULE_LICENSE("GPL");
