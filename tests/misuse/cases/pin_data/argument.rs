// SPDX-License-Identifier: MIT OR Apache-2.0

//! The one argument is `PinnedDrop`.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg_attr(misuse, pin_init::pin_data(Drop))] //~ "expected nothing or `PinnedDrop`"
#[cfg_attr(not(misuse), pin_init::pin_data)]
pub struct Value {
    pub a: u8,
}
