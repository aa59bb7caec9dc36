// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is pinned on the stack does not move.
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

pub fn moved() {
    pin_init::stack_pin_init!(let one = one());
    #[cfg(misuse)]
    let _: &mut One = one.get_mut(); //~ E0277
    #[cfg(not(misuse))]
    let _: &One = &one;
}
