// SPDX-License-Identifier: MIT OR Apache-2.0

//! In a constant it is an error at once.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

pub const fn even(number: u32) -> u32 {
    build_assert!(number % 2 == 0);
    number
}

#[cfg(misuse)]
pub const NUMBER: u32 = even(3); //~ E0080
#[cfg(not(misuse))]
pub const NUMBER: u32 = even(4);
