// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/printk.h>

#include "shim.h"

/*
 * The text is data, never a format. The level is part of the format, so that a text which
 * starts like a level cannot change it.
 */
static const char *const formats[] = {
	KERN_EMERG "%.*s", KERN_ALERT "%.*s", KERN_CRIT "%.*s",
	KERN_ERR "%.*s",   KERN_WARNING "%.*s", KERN_NOTICE "%.*s",
	KERN_INFO "%.*s",  KERN_DEBUG "%.*s",  KERN_CONT "%.*s",
};

void koru_print(int level, const char *text, unsigned long len)
{
	if (level < 0 || level >= ARRAY_SIZE(formats))
		level = 6;
	printk(formats[level], (int)len, text);
}

void koru_print_constant(const char *format)
{
	printk(format);
}

/* Returns the number of bytes that were written, without the NUL. */
unsigned long koru_hash_pointer(char *text, unsigned long size, unsigned long address)
{
	return scnprintf(text, size, "%p", (void *)address);
}
