// SPDX-License-Identifier: MIT OR Apache-2.0

//! Zero need not be a variant's tag.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[derive(pin_init::MaybeZeroable)]
#[cfg(misuse)]
pub enum Value { //~ "an enum cannot derive `Zeroable`"
    One = 1,
}

#[derive(pin_init::MaybeZeroable)]
#[cfg(not(misuse))]
pub struct Value(pub u8);
