// SPDX-License-Identifier: MIT OR Apache-2.0

//! The tracker is aligned.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{impl_list_arc_safe, list::AtomicTracker};

#[repr(align(8))]
pub struct Aligned {
    pub tracker: AtomicTracker,
}
impl_list_arc_safe! { impl ListArcSafe<0> for Aligned { tracked_by tracker: AtomicTracker; } }

pub struct Wide<T>(pub T);

#[cfg_attr(misuse, repr(C, packed))]
pub struct Item<T> {
    pub number: u8,
    pub value: T,
    pub tracker: Tracker,
}

pub struct Tracker {
    pub number: u64,
    pub tracker: AtomicTracker,
}
impl_list_arc_safe! { impl ListArcSafe<0> for Tracker { tracked_by tracker: AtomicTracker; } }
impl_list_arc_safe! {
    //~^ E0793
    impl{T} ListArcSafe<0> for Item<T> { tracked_by tracker: Tracker; }
}
