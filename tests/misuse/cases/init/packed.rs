// SPDX-License-Identifier: MIT OR Apache-2.0

//! A field has an aligned address.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg_attr(misuse, repr(packed))]
pub struct Packed {
    a: u8,
    b: u32,
}

pub fn packed() -> impl pin_init::Init<Packed> {
    pin_init::init!(Packed {
        a: 1,
        b: 2, //~ E0793
    })
}
