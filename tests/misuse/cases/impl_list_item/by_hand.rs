// SPDX-License-Identifier: MIT OR Apache-2.0

//! Without the macro it needs unsafe code.
#![no_std]
#![forbid(unsafe_code)]

use kernel::list::{ListItem, ListLinks};
use kernel::{impl_list_arc_safe, impl_list_item};

pub struct Item {
    pub links: ListLinks,
}
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
#[cfg(not(misuse))]
impl_list_item! {
    impl ListItem<0> for Item { using ListLinks { self.links }; }
}
#[cfg(misuse)]
unsafe impl ListItem<0> for Item { //~ unsafe_code
    unsafe fn view_links(me: *const Self) -> *mut ListLinks<0> { //~ unsafe_code
        me.cast_mut().cast()
    }
    unsafe fn view_value(links: *mut ListLinks<0>) -> *const Self { //~ unsafe_code
        links.cast()
    }
}
pub fn is_item<T: ListItem<0>>() {}
