// SPDX-License-Identifier: MIT OR Apache-2.0

//! A value does not stand in an `unsafe` block of the macro.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg(misuse)]
use core::char::from_u32_unchecked as letter;

#[cfg(not(misuse))]
fn letter(_: u32) -> char {
    'a'
}

pub struct Two {
    a: char,
    b: char,
}

pub fn two() -> impl pin_init::Init<Two, ()> {
    pin_init::init!(Two {
        a: letter(97), //~ E0133
        b <- Ok(letter(97)), //~ E0133
    }? ())
}
