// SPDX-License-Identifier: MIT OR Apache-2.0

//! A value is of its field's type.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct One<'a> {
    a: &'a [u8],
}

pub fn one<'a>(bytes: &'a [u8; 2], text: &'a str) -> impl pin_init::PinInit<One<'a>> {
    pin_init::pin_init!(One {
        #[cfg(misuse)]
        a: text, //~ E0308
        #[cfg(not(misuse))]
        a: { let _ = text; bytes },
    })
}
