// SPDX-License-Identifier: MIT OR Apache-2.0

//! The fields have names.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg(misuse)]
#[pin_init::pin_data]
pub struct Value(u8); //~ "structs with named fields"

#[cfg(not(misuse))]
#[pin_init::pin_data]
pub struct Value {
    pub a: u8,
}
