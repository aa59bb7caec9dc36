// SPDX-License-Identifier: MIT OR Apache-2.0
// on 6.12: since Linux 6.8, `strlcpy` is called `strscpy`
// rewritten: compiles

#include <linux/module.h>
#include <linux/string.h>

void copy(char *to, const char *from)
{
	strlcpy(to, from, 8); /* strlcpy */
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
