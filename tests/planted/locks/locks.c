// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: it uses its locks as chosen. Nothing goes wrong today, only one day. */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *fault = "none";
module_param(fault, charp, 0444);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static void *memory;

static bool chosen(const char *name)
{
	return !strcmp(fault, name);
}

static noinline void forwards(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
}

static noinline void backwards(void)
{
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static noinline void allocate_in_spinlock(void)
{
	spin_lock(&spin);
	memory = kmalloc(64, GFP_KERNEL);
	spin_unlock(&spin);
}

static noinline void forget_to_unlock(void)
{
	mutex_lock(&first);
}

static int __init locks_init(void)
{
	forwards();
	if (chosen("order"))
		backwards();
	if (chosen("sleep"))
		allocate_in_spinlock();
	if (chosen("unlock"))
		forget_to_unlock();
	return 0;
}

static void __exit locks_exit(void)
{
	kfree(memory);
}

module_init(locks_init);
module_exit(locks_exit);
MODULE_DESCRIPTION("Uses locks wrongly");
MODULE_LICENSE("GPL");
