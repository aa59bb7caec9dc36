// SPDX-License-Identifier: MIT OR Apache-2.0

//! A union's fields are not there at the same time.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg(misuse)]
#[pin_init::pin_data]
pub union Value { //~ "structs with named fields"
    pub a: u8,
}

#[cfg(not(misuse))]
#[pin_init::pin_data]
pub struct Value {
    pub a: u8,
}
