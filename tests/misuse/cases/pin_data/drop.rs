// SPDX-License-Identifier: MIT OR Apache-2.0

//! `Drop` gets a `&mut`, by which it could move what is pinned.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::pin::Pin;

#[cfg_attr(misuse, pin_init::pin_data)]
#[cfg_attr(not(misuse), pin_init::pin_data(PinnedDrop))]
pub struct One { //~ E0119
    pub a: u8,
}

#[cfg(misuse)]
impl Drop for One {
    fn drop(&mut self) {}
}

#[cfg(not(misuse))]
#[pin_init::pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>) {}
}
