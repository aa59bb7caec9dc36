// SPDX-License-Identifier: MIT OR Apache-2.0
/* Wrong: recurses thirty times, and then follows NULL. */
#include <linux/module.h>

static noinline int deeper(int depth, int *sum)
{
	int here = depth;

	if (!depth)
		return READ_ONCE(*(int *)8);
	here += deeper(depth - 1, &here); /* itself */
	WRITE_ONCE(*sum, here);
	return here;
}

static int odd(int depth, int *sum);

static noinline int even(int depth, int *sum)
{
	int here = depth;

	if (depth <= 0)
		return READ_ONCE(*(int *)8);
	here += odd(depth - 1, &here); /* through odd */
	WRITE_ONCE(*sum, here);
	return here;
}

static noinline int odd(int depth, int *sum)
{
	int here = depth;

	here += even(depth - 1, &here); /* through even */
	WRITE_ONCE(*sum, here);
	return here;
}

static bool two;
module_param(two, bool, 0444);

static int __init recurses_init(void)
{
	int sum = 0;

	if (two)
		return even(30, &sum) ? 0 : -EINVAL;
	return deeper(30, &sum) ? 0 : -EINVAL;
}

static void __exit recurses_exit(void)
{
}

module_init(recurses_init);
module_exit(recurses_exit);

MODULE_LICENSE("GPL");
