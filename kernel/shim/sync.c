// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "shim.h"

/* The kernel's own saturation: the count is pinned, and a WARN says why. */
void koru_refcount_warn(void *refcount, int kind)
{
	refcount_warn_saturate(refcount, (enum refcount_saturation_type)kind);
}

void koru_mutex_init(void *lock, const char *name, void *key)
{
	__mutex_init(lock, name, key);
}

void koru_mutex_lock(void *lock)
{
	mutex_lock(lock);
}

int koru_mutex_trylock(void *lock)
{
	return mutex_trylock(lock);
}

void koru_mutex_unlock(void *lock)
{
	mutex_unlock(lock);
}

void koru_spin_init(void *lock, const char *name, void *key)
{
#if defined(CONFIG_PREEMPT_RT)
	rt_mutex_base_init(&((spinlock_t *)lock)->lock);
	__rt_spin_lock_init(lock, name, key, false);
#elif defined(CONFIG_DEBUG_SPINLOCK)
	__raw_spin_lock_init(spinlock_check(lock), name, key, LD_WAIT_CONFIG);
#else
	spin_lock_init((spinlock_t *)lock);
#endif
}

void koru_spin_lock(void *lock)
{
	spin_lock((spinlock_t *)lock);
}

int koru_spin_trylock(void *lock)
{
	return spin_trylock((spinlock_t *)lock);
}

void koru_spin_unlock(void *lock)
{
	spin_unlock((spinlock_t *)lock);
}
