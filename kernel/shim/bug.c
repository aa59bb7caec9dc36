// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bug.h>
#include <linux/module.h>

#include "shim.h"

void koru_bug(void)
{
	BUG();
}

const char *koru_module_name(void)
{
	return THIS_MODULE->name;
}
