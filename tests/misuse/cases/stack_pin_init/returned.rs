// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is on the stack does not outlive it.
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

pub fn one() -> impl pin_init::PinInit<One, core::convert::Infallible> {
    pin_init::pin_init!(One { number: 1, pin: PhantomPinned }? core::convert::Infallible)
}

#[cfg(misuse)]
pub fn returned<'a>() -> core::pin::Pin<&'a mut One> {
    pin_init::stack_pin_init!(let one = one());
    one //~ E0515
}

#[cfg(not(misuse))]
pub fn returned() {
    pin_init::stack_pin_init!(let one = one());
    let _ = one;
}
