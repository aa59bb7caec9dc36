// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: the module no_licence does not say its licence
// rewritten: compiles

#include <linux/module.h>



static int __init old_init(void)
{
	return 0;
}

static void __exit old_exit(void)
{
}

module_init(old_init);
module_exit(old_exit);
