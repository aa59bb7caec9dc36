// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.9, `hlist_for_each_entry` needs no variable for the node
// rewritten: compiles

#include <linux/module.h>
#include <linux/list.h>

struct mine { int n; struct hlist_node node; };

int count(struct hlist_head *head)
{
	struct mine *mine;
	struct hlist_node *pos = NULL;
	int n = pos ? 1 : 0;

	hlist_for_each_entry(mine, pos, head, node) {
		n += mine->n;
	}
	return n;
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
