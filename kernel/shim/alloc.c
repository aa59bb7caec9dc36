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

/*
 * kmalloc() of a constant size does not look for the cache of that size, but passes it on with the
 * size, for KASAN and slub_debug. Here the size is a constant for the caller. On kernels with
 * several caches for one size, kmalloc() chooses.
 */
#define CACHES(gfp) kmalloc_caches[(gfp) & __GFP_ACCOUNT ? KMALLOC_CGROUP : KMALLOC_NORMAL]

static __always_inline void *kmalloc_cached(unsigned long size, unsigned int index, gfp_t gfp)
{
	/* The caller knows these numbers. */
	BUILD_BUG_ON(kmalloc_index(8) != 3 || kmalloc_index(9) != 4 || kmalloc_index(64) != 6);
	BUILD_BUG_ON(kmalloc_index(65) != 1 || kmalloc_index(97) != 7);
	BUILD_BUG_ON(kmalloc_index(129) != 2 || kmalloc_index(193) != 8);
	BUILD_BUG_ON(kmalloc_index(PAGE_SIZE) != PAGE_SHIFT);
#if defined(KORU_HAS_KMALLOC_CACHE)
	return alloc_hooks(__kmalloc_cache_noprof(CACHES(gfp)[index], gfp, size));
#elif defined(KORU_HAS_KMALLOC_TRACE)
	return kmalloc_trace(CACHES(gfp)[index], gfp, size);
#else
	return kmalloc(size, gfp);
#endif
}

void *koru_kmalloc_cached(unsigned long size, unsigned int index)
{
	return kmalloc_cached(size, index, GFP_KERNEL);
}

void *koru_kmalloc_account_cached(unsigned long size, unsigned int index)
{
	return kmalloc_cached(size, index, GFP_KERNEL_ACCOUNT);
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
