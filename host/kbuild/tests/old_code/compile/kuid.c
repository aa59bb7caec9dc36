// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: a user id is a `kuid_t`

#include <linux/module.h>
#include <linux/cred.h>

int me(void)
{
	int uid;

	uid = current_uid();
	return uid;
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
