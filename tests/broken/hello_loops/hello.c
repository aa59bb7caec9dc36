// SPDX-License-Identifier: GPL-2.0-only
/* Wrong: waits while it is loaded for what never comes. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/processor.h>

static bool done;

static noinline int wait_for_it(void)
{
	while (!READ_ONCE(done))
		cpu_relax();
	return 0;
}

static int __init hello_init(void)
{
	int waited = wait_for_it();

	pr_info("Hello world\n");
	return waited;
}

static void __exit hello_exit(void)
{
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
