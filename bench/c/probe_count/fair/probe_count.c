// SPDX-License-Identifier: GPL-2.0-only
/* /proc/probe_count with the whole contract of the Rust module. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static char *symbol = "do_sys_openat2";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "The function");

static atomic64_t hits;

static int count_hit(struct kprobe *probe, struct pt_regs *regs)
{
	atomic64_inc(&hits);
	return 0;
}
NOKPROBE_SYMBOL(count_hit);

static struct kprobe probe = {
	.pre_handler = count_hit,
};

static int count_show(struct seq_file *m, void *v)
{
	/* The kernel counts the calls about which it could not tell the handler. */
	u64 all = atomic64_read(&hits) + READ_ONCE(probe.nmissed);

	seq_printf(m, "%s: %llu\n", symbol, all);
	return 0;
}

static int __init count_init(void)
{
	int err;

	probe.symbol_name = symbol;
	err = register_kprobe(&probe);
	if (err) {
		pr_err("cannot probe `%s`: %pe\n", symbol, ERR_PTR(err));
		return err;
	}
	if (!proc_create_single("probe_count", 0444, NULL, count_show)) {
		unregister_kprobe(&probe);
		return -ENOMEM;
	}
	return 0;
}

static void __exit count_exit(void)
{
	remove_proc_entry("probe_count", NULL);
	unregister_kprobe(&probe);
}

module_init(count_init);
module_exit(count_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Koru authors");
MODULE_DESCRIPTION("/proc/probe_count: how often a kernel function was called");
MODULE_VERSION("1.0");
