// SPDX-License-Identifier: MIT OR Apache-2.0

//! No field is initialised twice, for the first value would never be dropped.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct Two {
    a: u8,
    b: u8,
}

pub fn two() -> impl pin_init::PinInit<Two> {
    pin_init::pin_init!(Two {
        a: 1,
        b: 2,
        #[cfg(misuse)]
        a: 3, //~ E0062
    })
}
