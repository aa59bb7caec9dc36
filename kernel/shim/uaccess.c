// SPDX-License-Identifier: GPL-2.0-only
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "shim.h"

/*
 * A kernel thread has no user memory: what is mapped there is that of the process which ran
 * before it. A kernel thread that has borrowed the memory of a process (kthread_use_mm()),
 * and the workers of io_uring, have an mm.
 */
static bool has_user_memory(void)
{
	return current->mm;
}

unsigned long koru_copy_from_user(void *to, unsigned long from, unsigned long len)
{
	if (!has_user_memory())
		return len;
	return copy_from_user(to, (const void __user *)from, len);
}

unsigned long koru_copy_to_user(unsigned long to, const void *from, unsigned long len)
{
	if (!has_user_memory())
		return len;
	return copy_to_user((void __user *)to, from, len);
}

/*
 * In C, copy_to_user() does not check the kernel's memory if the length is a constant: the
 * compiler knows the object. Here, Rust does, and the length is one only there.
 */
unsigned long koru_copy_value_from_user(void *to, unsigned long from, unsigned long len)
{
	if (!has_user_memory())
		return len;
#ifdef INLINE_COPY_FROM_USER
	return copy_from_user(to, (const void __user *)from, len);
#else
	return _copy_from_user(to, (const void __user *)from, len);
#endif
}

unsigned long koru_copy_value_to_user(unsigned long to, const void *from, unsigned long len)
{
	if (!has_user_memory())
		return len;
#ifdef INLINE_COPY_TO_USER
	return copy_to_user((void __user *)to, from, len);
#else
	return _copy_to_user((void __user *)to, from, len);
#endif
}

long koru_strncpy_from_user(char *to, unsigned long from, long len)
{
	if (!has_user_memory())
		return -EFAULT;
	return strncpy_from_user(to, (const char __user *)from, len);
}
