// SPDX-License-Identifier: MIT OR Apache-2.0

//! A value does not stand in an `unsafe` block of the macro.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg(misuse)]
use core::char::from_u32_unchecked as letter;

#[cfg(not(misuse))]
const fn letter(_: u32) -> char {
    'a'
}

#[pin_init::pin_data]
pub struct Four {
    a: char,
    b: char,
    c: [u8; 97],
}

pub fn four() -> impl pin_init::PinInit<Four, ()> {
    pin_init::pin_init!(Four {
        a: letter(97), //~ E0133
        b <- Ok(letter(97)), //~ E0133
        _: {
            letter(97); //~ E0133
        },
        c: [0; { letter(97) as usize }], //~ E0133
    }? ())
}
