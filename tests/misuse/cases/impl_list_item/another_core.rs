// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module's own `core` does not lay out its objects.
#![no_std]
#![forbid(unsafe_code)]

extern crate core as real_core;
#[cfg(misuse)]
extern crate self as core;

#[cfg(misuse)]
pub mod mem {
    /// A wrong answer.
    #[macro_export]
    macro_rules! offset_of {
        ($($t:tt)*) => { 4096 };
    }
    pub use crate::offset_of;
}

use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};

pub struct Item {
    pub number: u64,
    pub links: ListLinks,
}
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
impl_list_item! {
    impl ListItem<0> for Item { using ListLinks { self.links }; }
}

#[cfg(misuse)]
pub const PROOF: u8 = real_core::mem::offset_of!(Item, number); //~ E0308
