// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field has the type that is named.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::marker::PhantomPinned;

#[pin_init::pin_data]
pub struct One {
    pub number: u8,
    #[pin]
    pub pin: PhantomPinned,
}

#[cfg(misuse)]
pin_init::assert_pinned!(One, pin, ()); //~ E0308
#[cfg(not(misuse))]
pin_init::assert_pinned!(One, pin, PhantomPinned);
