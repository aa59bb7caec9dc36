// SPDX-License-Identifier: MIT OR Apache-2.0

//! Without the macro it needs unsafe code.
#![no_std]
#![forbid(unsafe_code)]

use core::pin::Pin;
use kernel::list::{AtomicTracker, ListArcSafe};

pub struct Item {
    pub tracker: AtomicTracker,
}
#[cfg(misuse)]
impl ListArcSafe<0> for Item {
    unsafe fn on_create_list_arc_from_unique(self: Pin<&mut Self>) {} //~ unsafe_code
    unsafe fn on_drop_list_arc(&self) {} //~ unsafe_code
}
#[cfg(not(misuse))]
kernel::impl_list_arc_safe! { impl ListArcSafe<0> for Item { tracked_by tracker: AtomicTracker; } }
pub fn is_item<T: ListArcSafe<0>>(_: Pin<&T>) {}
