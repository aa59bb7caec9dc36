// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macro's own unsafe code is no room for the caller's.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use kernel::prelude::*;

#[pin_data]
pub struct One {
    a: u8,
}

pub fn one() -> impl PinInit<One, Error> {
    try_pin_init!(One {
        #[cfg(misuse)]
        a: core::mem::zeroed(), //~ E0133
        #[cfg(not(misuse))]
        a: Zeroable::zeroed(),
    })
}
