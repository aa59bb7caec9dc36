// SPDX-License-Identifier: GPL-2.0-only
/*
 * The properties of this kernel that Rust must know at compile time. The kernel's own build
 * compiles this file, which is never linked into a module: the build reads the values of
 * these symbols from the object, and writes them as Rust constants.
 */
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "kprobe.h"
#include "shim.h"

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
#ifdef KORU_HAS_TASK_FREEZABLE
KORU_VALUE(TASK_FREEZABLE, TASK_FREEZABLE);
#endif

KORU_TYPE(WORK, struct work_struct);
KORU_TYPE(DELAYED_WORK, struct delayed_work);
KORU_VALUE(WORK_CPU_UNBOUND, WORK_CPU_UNBOUND);
static_assert(!offsetof(struct delayed_work, work), "a delayed work begins with its work");

KORU_TYPE(HRTIMER, struct hrtimer);
KORU_VALUE(HRTIMER_EXPIRES, offsetof(struct hrtimer, node.expires));

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

KORU_VALUE(FILE_INODE, offsetof(struct file, f_inode));
/* The member that has what pde_data() returns, or 0 if that is only a function. */
#ifdef KORU_HAS_PDE_DATA
KORU_VALUE(INODE_PROC_DATA, offsetof(struct inode, i_private));
#else
KORU_VALUE(INODE_PROC_DATA, 0);
#endif
KORU_VALUE(FILE_PRIVATE_DATA, offsetof(struct file, private_data));
KORU_VALUE(KIOCB_FILP, offsetof(struct kiocb, ki_filp));
KORU_VALUE(KIOCB_POS, offsetof(struct kiocb, ki_pos));
KORU_VALUE(SEQ_FILE_PRIVATE, offsetof(struct seq_file, private));

/* A member that points to a function of that type. */
#define KORU_FUNCTION(name, structure, field, type)				\
	static_assert(__same_type(((struct structure *)NULL)->field, (type)NULL), \
		      #structure "." #field " is no " #type);			\
	KORU_VALUE(name, offsetof(struct structure, field))

KORU_TYPE(FILE_OPERATIONS, struct file_operations);
KORU_VALUE(FOP_OWNER, offsetof(struct file_operations, owner));
KORU_FUNCTION(FOP_LLSEEK, file_operations, llseek, koru_llseek_t);
KORU_FUNCTION(FOP_READ_ITER, file_operations, read_iter, koru_transfer_t);
KORU_FUNCTION(FOP_WRITE_ITER, file_operations, write_iter, koru_transfer_t);
KORU_FUNCTION(FOP_UNLOCKED_IOCTL, file_operations, unlocked_ioctl, koru_ioctl_t);
KORU_FUNCTION(FOP_COMPAT_IOCTL, file_operations, compat_ioctl, koru_ioctl_t);
KORU_FUNCTION(FOP_OPEN, file_operations, open, koru_open_t);
KORU_FUNCTION(FOP_RELEASE, file_operations, release, koru_open_t);
KORU_FUNCTION(FOP_POLL, file_operations, poll, koru_poll_t);
KORU_FUNCTION(FOP_SHOW_FDINFO, file_operations, show_fdinfo, koru_show_fdinfo_t);

KORU_TYPE(PROC_OPS, struct proc_ops);
KORU_FUNCTION(PROC_OPEN, proc_ops, proc_open, koru_open_t);
KORU_FUNCTION(PROC_READ, proc_ops, proc_read, koru_read_t);
KORU_FUNCTION(PROC_READ_ITER, proc_ops, proc_read_iter, koru_transfer_t);
KORU_FUNCTION(PROC_WRITE, proc_ops, proc_write, koru_write_t);
KORU_FUNCTION(PROC_LSEEK, proc_ops, proc_lseek, koru_llseek_t);
KORU_FUNCTION(PROC_RELEASE, proc_ops, proc_release, koru_open_t);
