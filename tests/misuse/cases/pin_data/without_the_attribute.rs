// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor by the derive macro alone.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
extern crate kernel as pin_init;

#[cfg_attr(misuse, derive(kernel::__internal::PinData))]
#[cfg_attr(not(misuse), pin_init::pin_data)]
pub struct One {
    //~^ "expected `#[pin_data]`"
    #[pin]
    pub a: u8,
}
