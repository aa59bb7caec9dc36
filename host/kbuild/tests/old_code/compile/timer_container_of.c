// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: before Linux 6.16, `timer_container_of` is called `from_timer`

#include <linux/module.h>
#include <linux/timer.h>

struct mine { struct timer_list timer; int n; };

void my_handler(struct timer_list *t)
{
	struct mine *mine = timer_container_of(mine, t, timer);

	mine->n++;
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
