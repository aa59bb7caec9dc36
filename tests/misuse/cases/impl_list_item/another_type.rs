// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field that is named is the links.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};

pub struct Item {
    pub links: ListLinks,
    pub other: u64,
}
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
#[cfg(misuse)]
impl_list_item! {
    //~^ E0308
    impl ListItem<0> for Item { using ListLinks { self.other }; }
}
#[cfg(not(misuse))]
impl_list_item! {
    impl ListItem<0> for Item { using ListLinks { self.links }; }
}
