// SPDX-License-Identifier: MIT OR Apache-2.0

//! An object is on a list by one field.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};

pub struct Item {
    pub links: ListLinks,
    pub others: ListLinks,
}
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
impl_list_item! {
    impl ListItem<0> for Item { using ListLinks { self.links }; }
}
#[cfg(misuse)]
impl_list_item! {
    //~^ E0119
    impl ListItem<0> for Item { using ListLinks { self.others }; }
}
