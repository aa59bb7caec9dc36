// SPDX-License-Identifier: MIT OR Apache-2.0

//! A constant in a type is not in the macro's unsafe block.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    impl_list_arc_safe,
    list::{AtomicTracker, ListLinks},
};

const fn zero() -> u64 {
    0
}

pub struct Item {
    pub tracker: AtomicTracker,
    pub links: ListLinks,
}

#[cfg(misuse)]
impl_list_arc_safe! {
    impl ListArcSafe<0> for Item {
        tracked_by tracker: AtomicTracker<{ core::mem::zeroed() }>; //~ E0133
    }
}
#[cfg(not(misuse))]
impl_list_arc_safe! {
    impl ListArcSafe<0> for Item {
        tracked_by tracker: AtomicTracker<{ zero() }>;
    }
}
