// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bug.h>
#include <linux/compiler.h>

#include "shim.h"

void koru_fault_null(void)
{
	int *volatile nowhere = NULL;

	WRITE_ONCE(*nowhere, 1);
}

void koru_fault_warn(void)
{
	WARN(1, "koru: a deliberate warning\n");
}
