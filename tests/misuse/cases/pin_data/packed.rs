// SPDX-License-Identifier: MIT OR Apache-2.0

//! A packed struct's fields have no aligned address.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
#[cfg_attr(misuse, repr(C, packed(2)))] //~ "a packed struct cannot be pinned"
#[cfg_attr(not(misuse), repr(C, align(2)))]
pub struct Packed {
    #[pin]
    pub a: u8,
    pub b: u32,
}
