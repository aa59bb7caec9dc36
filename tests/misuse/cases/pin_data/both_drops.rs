// SPDX-License-Identifier: MIT OR Apache-2.0

//! `PinnedDrop` does not leave room for a `Drop`.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::pin::Pin;

#[pin_init::pin_data(PinnedDrop)]
pub struct One { //~ E0119
    pub a: u8,
}

#[pin_init::pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>) {}
}

#[cfg(misuse)]
impl Drop for One {
    fn drop(&mut self) {}
}
