// SPDX-License-Identifier: MIT OR Apache-2.0

//! A private field is its module's to initialise.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

pub mod other {
    #[derive(pin_init::Zeroable)]
    pub struct Two {
        pub a: u8,
        #[cfg(misuse)]
        b: u8,
        #[cfg(not(misuse))]
        pub b: u8,
    }
}

pub fn two() -> impl pin_init::Init<other::Two> {
    pin_init::init!(other::Two {
        a: 1,
        b: 2, //~ E0616
    })
}
