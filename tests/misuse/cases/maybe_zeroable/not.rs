// SPDX-License-Identifier: MIT OR Apache-2.0

//! A struct with a field that cannot be zero has no zero value.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[derive(pin_init::MaybeZeroable)]
pub struct Value {
    #[cfg(misuse)]
    pub a: &'static u8,
    #[cfg(not(misuse))]
    pub a: u8,
}

pub fn zero() -> Value {
    pin_init::zeroed() //~ E0277
}
