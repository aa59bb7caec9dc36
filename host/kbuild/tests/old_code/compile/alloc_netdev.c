// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 3.17, `alloc_netdev` also takes the origin of the name
// rewritten: compiles

#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/etherdevice.h>

struct net_device *make(void)
{
	return alloc_netdev(0, "old%d", ether_setup);
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
