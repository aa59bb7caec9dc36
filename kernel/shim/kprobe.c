// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "kprobe.h"
#include "shim.h"

#ifdef CONFIG_KPROBES

static int pre_handler(struct kprobe *kp, struct pt_regs *regs)
{
	struct koru_kprobe *probe = container_of(kp, struct koru_kprobe, kp);

	probe->handler(probe->data, regs);
	return 0;
}
NOKPROBE_SYMBOL(pre_handler);

int koru_kprobe_register(struct koru_kprobe *probe, const char *symbol,
			 void (*handler)(void *data, const struct pt_regs *regs), void *data)
{
	/* 5.10 takes it for the symbol of a module's section, which has no name. */
	if (!*symbol)
		return -ENOENT;
	*probe = (struct koru_kprobe) {
		.kp = { .symbol_name = symbol, .pre_handler = pre_handler },
		.handler = handler,
		.data = data,
	};
	return register_kprobe(&probe->kp);
}

void koru_kprobe_unregister(struct koru_kprobe *probe)
{
	unregister_kprobe(&probe->kp);
}

unsigned long koru_kprobe_missed(const struct koru_kprobe *probe)
{
	return READ_ONCE(probe->kp.nmissed);
}

#else

int koru_kprobe_register(struct koru_kprobe *probe, const char *symbol,
			 void (*handler)(void *data, const struct pt_regs *regs), void *data)
{
	return -EOPNOTSUPP;
}

void koru_kprobe_unregister(struct koru_kprobe *probe)
{
}

unsigned long koru_kprobe_missed(const struct koru_kprobe *probe)
{
	return 0;
}

#endif

unsigned long koru_regs_argument(const struct pt_regs *regs, unsigned int n)
{
	return regs_get_kernel_argument((struct pt_regs *)regs, n);
}
