// SPDX-License-Identifier: MIT OR Apache-2.0

//! Network devices and netfilter.

use crate::api_changes::change::{
    Change, NONE, Rewrite,
    Sign::{Arguments, Member, Name, Types},
    When::Since,
    v,
};

pub(super) const CHANGES: &[Change] = &[
    Change {
        when: Since(v(4, 13)),
        signs: &[Name("nf_register_hook"), Name("nf_unregister_hook")],
        what: "hooks of netfilter are registered for one network namespace",
        rewrites: &[
            Rewrite::Call("nf_register_hook", 1, "nf_register_net_hook(&init_net, $1)"),
            Rewrite::Call(
                "nf_unregister_hook",
                1,
                "nf_unregister_net_hook(&init_net, $1)",
            ),
        ],
        ..NONE
    },
    Change {
        when: Since(v(4, 4)),
        signs: &[Types(
            "const struct nf_hook_state *)",
            "struct net_device *",
        )],
        what: "a hook of netfilter takes its data, the packet and a `struct nf_hook_state`, in \
               which the devices are",
        example: "static unsigned int my_hook(void *priv, struct sk_buff *skb,
\t\t\t    const struct nf_hook_state *state);",
        ..NONE
    },
    Change {
        when: Since(v(3, 17)),
        signs: &[Arguments("alloc_netdev")],
        what: "`alloc_netdev` also takes the origin of the name",
        rewrites: &[Rewrite::Call(
            "alloc_netdev",
            3,
            "alloc_netdev($1, $2, NET_NAME_UNKNOWN, $3)",
        )],
        ..NONE
    },
    Change {
        when: Since(v(6, 1)),
        signs: &[Arguments("netif_napi_add")],
        what: "`netif_napi_add` takes no weight; `netif_napi_add_weight` does",
        rewrites: &[Rewrite::Call(
            "netif_napi_add",
            4,
            "netif_napi_add($1, $2, $3)",
        )],
        ..NONE
    },
    Change {
        when: Since(v(4, 7)),
        signs: &[Member("struct net_device", "trans_start")],
        what: "`trans_start` belongs to a queue: a function sets it",
        example: "netif_trans_update(dev);",
        ..NONE
    },
];
