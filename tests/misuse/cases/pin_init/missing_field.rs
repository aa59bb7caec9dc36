// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every field is initialised.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct Two {
    a: u8,
    b: u8,
}

pub fn two() -> impl pin_init::PinInit<Two> {
    #[cfg(misuse)]
    return pin_init::pin_init!(Two { a: 1 }); //~ E0063
    #[cfg(not(misuse))]
    return pin_init::pin_init!(Two { a: 1, b: 2 });
}
