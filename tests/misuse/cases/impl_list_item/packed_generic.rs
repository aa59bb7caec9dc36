// SPDX-License-Identifier: MIT OR Apache-2.0

//! The links are aligned, in a type with parameters as well.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};

#[cfg_attr(misuse, repr(C, packed(4)))]
pub struct Item<T> {
    pub number: u32,
    pub value: T,
    pub links: ListLinks,
}
impl_list_arc_safe! { impl{T} ListArcSafe<0> for Item<T> { untracked; } }
impl_list_item! {
    //~^ E0793
    impl{T} ListItem<0> for Item<T> { using ListLinks { self.links }; }
}
