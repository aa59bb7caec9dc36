// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: it does with its memory what is chosen. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/* A whole object of the allocator: behind it is a red zone. */
#define SIZE 64

#ifndef FAULT
#define FAULT "none"
#endif

static char *fault = FAULT;
module_param(fault, charp, 0444);

static char *memory;

static bool chosen(const char *name)
{
	return !strcmp(fault, name);
}

/* The compiler must not see what is wrong. */
static noinline void put(char *at, int index)
{
	OPTIMIZER_HIDE_VAR(at);
	at[index] = 'x';
}

static noinline int get(void)
{
	if (chosen("pages"))
		memory = vmalloc(5 * PAGE_SIZE);
	else if (chosen("copy"))
		memory = kstrdup("what another function allocates for this one", GFP_KERNEL);
	else
		memory = kmalloc(SIZE, GFP_KERNEL);
	return memory ? 0 : -ENOMEM;
}

static int __init memory_init(void)
{
	int err = get();
	char *freed = memory;

	if (err)
		return err;
	if (chosen("overflow"))
		put(memory, SIZE);
	if (chosen("after-free")) {
		kfree(memory);
		memory = NULL;
		put(freed, SIZE / 2);
	}
	if (chosen("double-free")) {
		kfree(memory);
		OPTIMIZER_HIDE_VAR(freed);
		kfree(freed);
		memory = NULL;
	}
	return 0;
}

static void __exit memory_exit(void)
{
	if (chosen("leak") || chosen("copy") || chosen("pages"))
		return;
	kfree(memory);
}

module_init(memory_init);
module_exit(memory_exit);
MODULE_DESCRIPTION("Uses memory wrongly");
MODULE_LICENSE("GPL");
