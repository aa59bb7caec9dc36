// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Rust must know at compile time about this kernel. Compiled by the
 * kernel's own build, never linked into a module: the build reads the values
 * of these symbols out of the object and writes them as Rust constants.
 */
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "kprobe.h"

#define KORU_VALUE(name, expr)				\
	extern const unsigned long koru_value_##name;	\
	const unsigned long koru_value_##name = (unsigned long)(expr)

#define KORU_TYPE(name, type)				\
	KORU_VALUE(name##_SIZE, sizeof(type));		\
	KORU_VALUE(name##_ALIGN, __alignof__(type))

KORU_VALUE(PAGE_SIZE, PAGE_SIZE);
KORU_VALUE(HZ, HZ);
KORU_VALUE(GOLDEN_RATIO_PRIME, GOLDEN_RATIO_PRIME);

KORU_VALUE(KMALLOC_MINALIGN, ARCH_KMALLOC_MINALIGN);

KORU_VALUE(GFP_KERNEL, (__force unsigned int)GFP_KERNEL);
KORU_VALUE(GFP_ATOMIC, (__force unsigned int)GFP_ATOMIC);
KORU_VALUE(GFP_KERNEL_ACCOUNT, (__force unsigned int)GFP_KERNEL_ACCOUNT);
KORU_VALUE(GFP_NOWAIT, (__force unsigned int)GFP_NOWAIT);
KORU_VALUE(__GFP_ZERO, (__force unsigned int)__GFP_ZERO);
KORU_VALUE(__GFP_HIGHMEM, (__force unsigned int)__GFP_HIGHMEM);
KORU_VALUE(__GFP_NOWARN, (__force unsigned int)__GFP_NOWARN);

KORU_TYPE(MUTEX, struct mutex);
KORU_TYPE(SPINLOCK, spinlock_t);
KORU_TYPE(LOCK_CLASS_KEY, struct lock_class_key);

KORU_TYPE(WAIT_QUEUE_HEAD, struct wait_queue_head);
KORU_TYPE(WAIT_QUEUE_ENTRY, struct wait_queue_entry);
KORU_TYPE(COMPLETION, struct completion);
KORU_VALUE(TASK_INTERRUPTIBLE, TASK_INTERRUPTIBLE);
KORU_VALUE(TASK_UNINTERRUPTIBLE, TASK_UNINTERRUPTIBLE);
KORU_VALUE(TASK_IDLE, TASK_IDLE);

KORU_TYPE(KPROBE, struct koru_kprobe);

KORU_TYPE(KERNEL_PARAM, struct kernel_param);
KORU_VALUE(KERNEL_PARAM_NAME, offsetof(struct kernel_param, name));
KORU_VALUE(KERNEL_PARAM_MOD, offsetof(struct kernel_param, mod));
KORU_VALUE(KERNEL_PARAM_OPS, offsetof(struct kernel_param, ops));
KORU_VALUE(KERNEL_PARAM_PERM, offsetof(struct kernel_param, perm));
KORU_VALUE(KERNEL_PARAM_LEVEL, offsetof(struct kernel_param, level));
KORU_VALUE(KERNEL_PARAM_FLAGS, offsetof(struct kernel_param, flags));
KORU_VALUE(KERNEL_PARAM_ARG, offsetof(struct kernel_param, arg));

KORU_TYPE(KPARAM_ARRAY, struct kparam_array);
KORU_VALUE(KPARAM_ARRAY_MAX, offsetof(struct kparam_array, max));
KORU_VALUE(KPARAM_ARRAY_ELEMSIZE, offsetof(struct kparam_array, elemsize));
KORU_VALUE(KPARAM_ARRAY_NUM, offsetof(struct kparam_array, num));
KORU_VALUE(KPARAM_ARRAY_OPS, offsetof(struct kparam_array, ops));
KORU_VALUE(KPARAM_ARRAY_ELEM, offsetof(struct kparam_array, elem));

KORU_TYPE(MISCDEVICE, struct miscdevice);

#define KORU_FOP(name, field) \
	KORU_VALUE(FOP_##name, offsetof(struct file_operations, field))

KORU_TYPE(FILE_OPERATIONS, struct file_operations);
KORU_FOP(OWNER, owner);
KORU_FOP(LLSEEK, llseek);
KORU_FOP(READ_ITER, read_iter);
KORU_FOP(WRITE_ITER, write_iter);
KORU_FOP(UNLOCKED_IOCTL, unlocked_ioctl);
KORU_FOP(COMPAT_IOCTL, compat_ioctl);
KORU_FOP(OPEN, open);
KORU_FOP(RELEASE, release);
KORU_FOP(SHOW_FDINFO, show_fdinfo);
