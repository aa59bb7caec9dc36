// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.13, `INIT_COMPLETION` is gone
// rewritten: compiles

#include <linux/module.h>
#include <linux/completion.h>

struct mine { struct completion done; };

void again(struct mine *mine)
{
	INIT_COMPLETION(mine->done);
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
