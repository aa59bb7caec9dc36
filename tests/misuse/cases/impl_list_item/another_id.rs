// SPDX-License-Identifier: MIT OR Apache-2.0

//! Each list has links of its own.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};

pub struct Item {
    pub links: ListLinks<1>,
}
#[cfg(misuse)]
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
#[cfg(misuse)]
impl_list_item! {
    //~^ E0308
    impl ListItem<0> for Item { using ListLinks { self.links }; }
}
#[cfg(not(misuse))]
impl_list_arc_safe! { impl ListArcSafe<1> for Item { untracked; } }
#[cfg(not(misuse))]
impl_list_item! {
    impl ListItem<1> for Item { using ListLinks { self.links }; }
}
