// SPDX-License-Identifier: MIT OR Apache-2.0

//! A reference to an earlier field is not kept outside.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

pub struct Two {
    a: u8,
    b: &'static u8,
}

pub fn two() -> impl pin_init::Init<Two> {
    pin_init::init!(Two {
        a: 1, //~ E0505
        #[cfg(misuse)]
        b: a,
        #[cfg(not(misuse))]
        b: &2,
    })
}
