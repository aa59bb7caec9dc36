// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/printk.h>

#include "shim.h"

/*
 * `format` has the level, and at most one conversion: "%.*s", for a text that is data and not
 * part of a format.
 */
void koru_print(const char *format, int len, const char *text)
{
	printk(format, len, text);
}

void koru_warn_no_errno(int number)
{
	printk(KERN_WARNING "rust_kernel: attempted to create `Error` with out of range `errno`: %d\n",
	       number);
}

/* Returns the number of bytes that were written, without the NUL. */
unsigned long koru_hash_pointer(char *text, unsigned long size, unsigned long address)
{
	return scnprintf(text, size, "%p", (void *)address);
}
