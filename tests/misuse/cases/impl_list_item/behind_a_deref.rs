// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor in something that the object dereferences to.
#![no_std]
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};
use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};

pub struct Inner {
    pub links: ListLinks,
}
pub struct Item {
    #[cfg(misuse)]
    pub inner: Inner,
    #[cfg(not(misuse))]
    pub links: ListLinks,
}
#[cfg(misuse)]
impl Deref for Item {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}
#[cfg(misuse)]
impl DerefMut for Item {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.inner
    }
}
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
impl_list_item! {
    impl ListItem<0> for Item { using ListLinks { self.links }; }
    //~^ E0609
}
#[cfg(not(misuse))]
type _Unused = (&'static dyn Deref<Target = u8>, &'static dyn DerefMut<Target = u8>);
