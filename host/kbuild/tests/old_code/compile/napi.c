// SPDX-License-Identifier: MIT OR Apache-2.0
// on all: since Linux 6.1, `netif_napi_add` takes no weight
// rewritten: compiles

#include <linux/module.h>
#include <linux/netdevice.h>

static int my_poll(struct napi_struct *napi, int budget)
{
	return 0;
}

void start(struct net_device *dev, struct napi_struct *napi)
{
	netif_napi_add(dev, napi, my_poll, 64);
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
