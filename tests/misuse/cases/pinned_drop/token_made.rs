// SPDX-License-Identifier: MIT OR Apache-2.0

//! The token for a call cannot be made.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::pin::Pin;

#[pin_init::pin_data(PinnedDrop)]
pub struct One {
    pub a: u8,
}

#[pin_init::pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>) {}
}

#[cfg(misuse)]
pub fn early(one: Pin<&mut One>) {
    use pin_init::{PinnedDrop, __internal::OnlyCallFromDrop};
    one.drop(OnlyCallFromDrop(())); //~ E0423
}
