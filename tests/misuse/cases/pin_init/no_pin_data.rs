// SPDX-License-Identifier: MIT OR Apache-2.0

//! The struct says by `#[pin_data]` which of its fields are pinned.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg_attr(not(misuse), pin_init::pin_data)]
pub struct One {
    a: u8,
}

pub fn one() -> impl pin_init::PinInit<One> {
    pin_init::pin_init!(One { a: 1 }) //~ E0277 "has no `#[pin_data]`"
    //~^ E0599
}
