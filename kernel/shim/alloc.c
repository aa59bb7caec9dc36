// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "shim.h"

/*
 * A size that no kernel grants is an ordinary failure here. The kernel itself
 * would WARN, and a length that came from user space must not be able to.
 */
void *koru_kmalloc(unsigned long size, unsigned int flags)
{
	if (size > KMALLOC_MAX_SIZE)
		return NULL;
	return kmalloc(size, (__force gfp_t)flags);
}

void *koru_krealloc(const void *p, unsigned long size, unsigned int flags)
{
	if (size > KMALLOC_MAX_SIZE)
		return NULL;
	return krealloc(p, size, (__force gfp_t)flags);
}

void koru_kfree(const void *p)
{
	kfree(p);
}

void *koru_vmalloc(unsigned long size, unsigned int flags)
{
	if (size > INT_MAX)
		return NULL;
	return __vmalloc(size, (__force gfp_t)flags);
}

void koru_vfree(const void *p)
{
	vfree(p);
}

void *koru_kvmalloc(unsigned long size, unsigned int flags)
{
	if (size > INT_MAX)
		return NULL;
	return kvmalloc(size, (__force gfp_t)flags);
}

void koru_kvfree(const void *p)
{
	kvfree(p);
}
