// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "shim.h"

/* The kernel saturates the count itself, and WARNs about the reason. */
void koru_refcount_warn(struct refcount_struct *refcount, int kind)
{
	refcount_warn_saturate(refcount, (enum refcount_saturation_type)kind);
}

void koru_mutex_init(struct mutex *lock, const char *name, struct lock_class_key *key)
{
	__mutex_init(lock, name, key);
}

void koru_mutex_lock(struct mutex *lock)
{
	mutex_lock(lock);
}

int koru_mutex_trylock(struct mutex *lock)
{
	return mutex_trylock(lock);
}

void koru_mutex_unlock(struct mutex *lock)
{
	mutex_unlock(lock);
}

void koru_spin_init(struct spinlock *lock, const char *name, struct lock_class_key *key)
{
#if defined(CONFIG_PREEMPT_RT)
	rt_mutex_base_init(&lock->lock);
	__rt_spin_lock_init(lock, name, key, false);
#elif defined(CONFIG_DEBUG_SPINLOCK)
	__raw_spin_lock_init(spinlock_check(lock), name, key, LD_WAIT_CONFIG);
#else
	spin_lock_init(lock);
#endif
}

void koru_spin_lock(struct spinlock *lock)
{
	spin_lock(lock);
}

int koru_spin_trylock(struct spinlock *lock)
{
	return spin_trylock(lock);
}

void koru_spin_unlock(struct spinlock *lock)
{
	spin_unlock(lock);
}

void koru_rcu_read_lock(void)
{
	rcu_read_lock();
}

void koru_rcu_read_unlock(void)
{
	rcu_read_unlock();
}
