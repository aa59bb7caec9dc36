// SPDX-License-Identifier: MIT OR Apache-2.0

//! The links are aligned.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};

#[cfg_attr(misuse, repr(C, packed))]
pub struct Item {
    pub number: u8,
    pub links: ListLinks,
}
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
impl_list_item! {
    //~^ E0793
    impl ListItem<0> for Item { using ListLinks { self.links }; }
}
