// SPDX-License-Identifier: MIT OR Apache-2.0

//! A field is pinned or not.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct Value {
    #[pin]
    #[cfg_attr(misuse, pin)] //~ "`#[pin]` is given twice"
    pub a: u8,
}
