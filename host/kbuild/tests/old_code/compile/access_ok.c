// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 5.0, `access_ok` takes the address and the size only
// rewritten: compiles

#include <linux/module.h>
#include <linux/uaccess.h>

int check(void __user *p, size_t n)
{
	if (!access_ok(VERIFY_WRITE, p, n))
		return -EFAULT;
	return access_ok(VERIFY_READ, p, n) ? 0 : -EFAULT;
}

static int __init old_init(void)
{
	return 0;
}

static void __exit old_exit(void)
{
}

module_init(old_init);
module_exit(old_exit);
MODULE_LICENSE("GPL");
