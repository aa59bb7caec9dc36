// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a parameter stands for can be zero.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[derive(pin_init::MaybeZeroable)]
pub struct Value<T>(pub T);

pub fn zero() {
    #[cfg(misuse)]
    let _: Value<&u8> = pin_init::zeroed(); //~ E0277
    #[cfg(not(misuse))]
    let _: Value<Option<&u8>> = pin_init::zeroed();
}
