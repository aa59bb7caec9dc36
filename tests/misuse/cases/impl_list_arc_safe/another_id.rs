// SPDX-License-Identifier: MIT OR Apache-2.0

//! A tracker keeps track of its own `ListArc`s.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{impl_list_arc_safe, list::AtomicTracker};

pub struct Item {
    pub tracker: AtomicTracker<1>,
}
#[cfg(misuse)]
impl_list_arc_safe! {
    //~^ E0277
    impl ListArcSafe<0> for Item { tracked_by tracker: AtomicTracker<1>; }
    //~^ E0277
}
#[cfg(not(misuse))]
impl_list_arc_safe! {
    impl ListArcSafe<1> for Item { tracked_by tracker: AtomicTracker<1>; }
}
