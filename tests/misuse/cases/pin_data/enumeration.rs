// SPDX-License-Identifier: MIT OR Apache-2.0

//! An enum has no fields that are always there.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg(misuse)]
#[pin_init::pin_data]
pub enum Value { //~ "structs with named fields"
    Number { a: u8 },
}

#[cfg(not(misuse))]
#[pin_init::pin_data]
pub struct Value {
    pub a: u8,
}
