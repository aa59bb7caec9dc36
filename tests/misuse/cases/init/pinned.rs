// SPDX-License-Identifier: MIT OR Apache-2.0

//! What needs to be pinned is no initialiser of a struct that may move.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::marker::PhantomPinned;

#[pin_init::pin_data]
pub struct Inner {
    #[pin]
    pin: PhantomPinned,
}

#[pin_init::pin_data]
pub struct Outer {
    #[pin]
    inner: Inner,
}

pub fn inner() -> impl pin_init::PinInit<Inner> {
    pin_init::pin_init!(Inner { pin: PhantomPinned })
}

#[cfg(misuse)]
pub fn outer() -> impl pin_init::Init<Outer> {
    pin_init::init!(Outer {
        inner <- inner(), //~ E0277
    })
}

#[cfg(not(misuse))]
pub fn outer() -> impl pin_init::PinInit<Outer> {
    pin_init::pin_init!(Outer {
        inner <- inner(),
    })
}
