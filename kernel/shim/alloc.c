// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "shim.h"

/*
 * Safe code can combine and negate flags, so any flags may come: only those that safe code
 * has names for are passed on, but for __GFP_HIGHMEM: the slab allocator complains about it, and
 * so does vmalloc() of 7.3, which uses such memory anyway. If flags contradict each other, an
 * allocation that may sleep does, and uses no reserves that are for others.
 */
static gfp_t allowed(unsigned int flags)
{
	gfp_t gfp = (__force gfp_t)flags & (GFP_KERNEL | GFP_ATOMIC | GFP_KERNEL_ACCOUNT |
		GFP_NOWAIT | __GFP_ZERO | __GFP_NOWARN);

#ifdef __GFP_ATOMIC
	if (gfp & __GFP_DIRECT_RECLAIM)
		gfp &= ~__GFP_ATOMIC;
#endif
	return gfp;
}

/*
 * A size that no kernel grants is an ordinary failure here. The kernel itself would WARN,
 * and a length that came from user space must not be able to cause that.
 */
void *koru_kmalloc(unsigned long size, unsigned int flags)
{
	if (size > KMALLOC_MAX_SIZE)
		return NULL;
	return kmalloc(size, allowed(flags));
}

void *koru_krealloc(const void *p, unsigned long size, unsigned int flags)
{
	if (size > KMALLOC_MAX_SIZE)
		return NULL;
	return krealloc(p, size, allowed(flags));
}

void koru_kfree(const void *p)
{
	kfree(p);
}

void *koru_vmalloc(unsigned long size, unsigned int flags)
{
	gfp_t gfp = allowed(flags);

	/* __vmalloc() may sleep, whatever the flags say. */
	if (size > INT_MAX || !gfpflags_allow_blocking(gfp))
		return NULL;
	return __vmalloc(size, gfp);
}

void koru_vfree(const void *p)
{
	vfree(p);
}

void *koru_kvmalloc(unsigned long size, unsigned int flags)
{
	if (size > INT_MAX)
		return NULL;
	return kvmalloc(size, allowed(flags));
}

void koru_kvfree(const void *p)
{
	kvfree(p);
}
