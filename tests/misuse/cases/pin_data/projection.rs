// SPDX-License-Identifier: MIT OR Apache-2.0

//! The projection of a pinned field is pinned.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::{marker::PhantomPinned, pin::Pin};

#[pin_init::pin_data]
pub struct One {
    #[pin]
    pub pin: PhantomPinned,
    pub number: u8,
}

pub fn moved(one: Pin<&mut One>) {
    let one = one.project();
    *one.number = 1;
    #[cfg(misuse)]
    core::mem::swap(one.pin, &mut PhantomPinned); //~ E0308
    #[cfg(not(misuse))]
    let _: Pin<&mut PhantomPinned> = one.pin;
}
