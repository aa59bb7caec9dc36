// SPDX-License-Identifier: MIT OR Apache-2.0

//! A struct without `#[pin_data]` pins nothing.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg_attr(not(misuse), pin_init::pin_data)]
pub struct One {
    #[cfg_attr(not(misuse), pin)]
    pub number: u8,
}

pin_init::assert_pinned!(One, number, u8); //~ E0277
