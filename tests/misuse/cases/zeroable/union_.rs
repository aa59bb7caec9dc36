// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every field of a union can be zero.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[derive(pin_init::Zeroable)]
pub union Value {
    pub a: u8,
    #[cfg(misuse)]
    pub b: &'static u8, //~ E0277
}
