// SPDX-License-Identifier: MIT OR Apache-2.0

//! A reference to an earlier field ends before the struct is whole.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct Two<'a> {
    a: u8,
    b: Option<&'a u8>,
}

pub fn two<'a>() -> impl pin_init::PinInit<Two<'a>> {
    pin_init::pin_init!(Two {
        a: 1, //~ E0505
        #[cfg(misuse)]
        b: Some(a),
        #[cfg(not(misuse))]
        b: None,
    })
}
