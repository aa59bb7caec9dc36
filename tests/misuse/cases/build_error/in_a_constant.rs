// SPDX-License-Identifier: MIT OR Apache-2.0

//! In a constant it is an error at once.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

pub const fn half(number: u32) -> u32 {
    if number % 2 != 0 {
        build_error!("odd");
    }
    number / 2
}

#[cfg(misuse)]
pub const HALF: u32 = half(3); //~ E0080
#[cfg(not(misuse))]
pub const HALF: u32 = half(4);
