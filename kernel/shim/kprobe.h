/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KORU_KPROBE_H
#define KORU_KPROBE_H

#include <linux/kprobes.h>

/* A kprobe, and the handler that it calls. Rust owns the memory. */
struct koru_kprobe {
#ifdef CONFIG_KPROBES
	struct kprobe kp;
#endif
	void (*handler)(void *data, const struct pt_regs *regs);
	void *data;
};

#endif
