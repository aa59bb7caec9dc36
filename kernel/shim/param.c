// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

/* This is the only integer type for which the kernel has no parameter operations. */
static int set_i8(const char *val, const struct kernel_param *kp)
{
	return kstrtos8(val, 0, (s8 *)kp->arg);
}

static int get_i8(char *buffer, const struct kernel_param *kp)
{
	/* This is not sysfs_emit(), because for an array `buffer` is in the middle of a page. */
	return scnprintf(buffer, PAGE_SIZE, "%hhd\n", *(s8 *)kp->arg);
}

extern const struct kernel_param_ops koru_param_ops_i8;
const struct kernel_param_ops koru_param_ops_i8 = {
	.set = set_i8,
	.get = get_i8,
};
