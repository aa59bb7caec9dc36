// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.4, a hook of netfilter takes its data

#include <linux/module.h>
#include <linux/netfilter.h>

static unsigned int my_hook(unsigned int hooknum, struct sk_buff *skb, const struct net_device *in,
			    const struct net_device *out, int (*okfn)(struct sk_buff *))
{
	return NF_ACCEPT;
}

struct nf_hook_ops my_ops = { .hook = my_hook };

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
