// SPDX-License-Identifier: MIT OR Apache-2.0

//! Another type keeps no track.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{impl_list_arc_safe, list::AtomicTracker};

pub struct Item {
    #[cfg(misuse)]
    pub tracker: core::sync::atomic::AtomicBool,
    #[cfg(not(misuse))]
    pub tracker: AtomicTracker,
}
#[cfg(misuse)]
impl_list_arc_safe! {
    //~^ E0277
    impl ListArcSafe<0> for Item { tracked_by tracker: core::sync::atomic::AtomicBool; }
    //~^ E0277
}
#[cfg(not(misuse))]
impl_list_arc_safe! {
    impl ListArcSafe<0> for Item { tracked_by tracker: AtomicTracker; }
}
pub type Tracker = AtomicTracker;
