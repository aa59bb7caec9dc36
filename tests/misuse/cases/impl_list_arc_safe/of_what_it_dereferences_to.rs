// SPDX-License-Identifier: MIT OR Apache-2.0

//! The tracker is a field of the object itself.
#![no_std]
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};
use kernel::{impl_list_arc_safe, list::AtomicTracker};

pub struct Inner {
    pub tracker: AtomicTracker,
}
pub struct Item {
    pub one: Inner,
    pub other: Inner,
    #[cfg(not(misuse))]
    pub tracker: AtomicTracker,
}
impl Deref for Item {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.other
    }
}
impl DerefMut for Item {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.one
    }
}
impl_list_arc_safe! {
    impl ListArcSafe<0> for Item { tracked_by tracker: AtomicTracker; }
    //~^ E0609
}
