// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 4.13, hooks of netfilter are registered for one network namespace
// rewritten: compiles

#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/net_namespace.h>

static struct nf_hook_ops my_ops;

int start(void)
{
	return nf_register_hook(&my_ops);
}

void stop(void)
{
	nf_unregister_hook(&my_ops);
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
