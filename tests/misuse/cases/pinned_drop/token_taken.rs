// SPDX-License-Identifier: MIT OR Apache-2.0

//! The body does not get the token, which would be good for another value.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::pin::Pin;

#[pin_init::pin_data(PinnedDrop)] //~ E0277
pub struct One {
    pub a: u8,
}

#[cfg(misuse)]
#[pin_init::pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>, token: pin_init::__internal::OnlyCallFromDrop) {
        //~^ "expected `impl PinnedDrop"
        let _ = token;
    }
}

#[cfg(not(misuse))]
#[pin_init::pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>) {}
}
