// SPDX-License-Identifier: MIT OR Apache-2.0

//! No one promises what the address and the length of no reference are.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[derive(pin_init::Zeroable)]
pub struct Value {
    #[cfg(misuse)]
    pub a: Option<&'static [u8]>, //~ E0277
    #[cfg(not(misuse))]
    pub a: Option<&'static [u8; 4]>,
}
