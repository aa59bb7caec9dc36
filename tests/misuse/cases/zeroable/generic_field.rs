// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every field can be zero, whatever the parameter is.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[derive(pin_init::Zeroable)]
pub struct Two<'a, T> {
    pub a: T,
    #[cfg(misuse)]
    pub b: &'a [T], //~ E0277
    #[cfg(not(misuse))]
    pub b: Option<&'a T>,
}
