// SPDX-License-Identifier: MIT OR Apache-2.0

//! The trait is implemented by the macro only.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::pin::Pin;
use pin_init::__internal::OnlyCallFromDrop;

#[pin_init::pin_data(PinnedDrop)]
pub struct One {
    pub a: u8,
}

#[cfg(misuse)]
unsafe impl pin_init::PinnedDrop for One { //~ unsafe_code
    fn drop(self: Pin<&mut Self>, _: OnlyCallFromDrop) {}
}

#[cfg(not(misuse))]
#[pin_init::pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>) {}
}
