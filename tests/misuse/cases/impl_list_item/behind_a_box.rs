// SPDX-License-Identifier: MIT OR Apache-2.0

//! The links are in the object, not in something that it has.
#![no_std]
#![forbid(unsafe_code)]

use kernel::alloc::KBox;
use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};

pub struct Inner {
    pub links: ListLinks,
}
pub struct Item {
    #[cfg(misuse)]
    pub inner: KBox<Inner>,
    #[cfg(not(misuse))]
    pub inner: Inner,
    pub spare: Option<KBox<u8>>,
}
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
impl_list_item! {
    impl ListItem<0> for Item { using ListLinks { self.inner.links }; }
    //~^ E0609
}
