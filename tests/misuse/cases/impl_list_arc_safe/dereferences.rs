// SPDX-License-Identifier: MIT OR Apache-2.0

//! The tracker is the field itself, not what it dereferences to.
#![no_std]
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};
use kernel::{impl_list_arc_safe, list::AtomicTracker};

/// Which of the two it is depends on who asks.
pub struct Two {
    pub one: AtomicTracker,
    pub other: AtomicTracker,
}
impl Deref for Two {
    type Target = AtomicTracker;
    fn deref(&self) -> &AtomicTracker {
        &self.other
    }
}
impl DerefMut for Two {
    fn deref_mut(&mut self) -> &mut AtomicTracker {
        &mut self.one
    }
}
pub struct Item {
    #[cfg(misuse)]
    pub tracker: Two,
    #[cfg(not(misuse))]
    pub tracker: AtomicTracker,
}
impl_list_arc_safe! {
    //~^ E0308
    impl ListArcSafe<0> for Item { tracked_by tracker: AtomicTracker; }
}
