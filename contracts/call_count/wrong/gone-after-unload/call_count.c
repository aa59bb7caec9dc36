// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: the file stays. */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static char *symbol = "__x64_sys_sync";
module_param(symbol, charp, 0444);

static atomic64_t calls = ATOMIC64_INIT(0);

static int count(struct kprobe *probe, struct pt_regs *regs)
{
	atomic64_inc(&calls);
	return 0;
}

static struct kprobe probe = { .pre_handler = count };

static int count_show(struct seq_file *file, void *unused)
{
	seq_printf(file, "%s: %lld\n", symbol, atomic64_read(&calls) + probe.nmissed);
	return 0;
}

static int __init count_init(void)
{
	int error;

	probe.symbol_name = symbol;
	error = register_kprobe(&probe);
	if (error)
		return error;
	if (!proc_create_single("call_count", 0444, NULL, count_show)) {
		unregister_kprobe(&probe);
		return -ENOMEM;
	}
	return 0;
}

static void __exit count_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(count_init);
module_exit(count_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("How often a function is called");
