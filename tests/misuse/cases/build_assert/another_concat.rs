// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module's own `concat!` and `stringify!` are none of the macro's.
#![no_std]
#![forbid(unsafe_code)]

macro_rules! concat {
    ($($t:tt)*) => {
        7
    };
}
macro_rules! stringify {
    ($($t:tt)*) => {
        8
    };
}

pub const fn even(number: u32) -> u32 {
    kernel::build_assert!(number % 2 == 0);
    number
}

#[cfg(misuse)]
pub const NUMBER: u32 = even(3); //~ E0080 "assertion failed: number % 2 == 0"
#[cfg(not(misuse))]
pub const NUMBER: u32 = even(4);

pub const NAMES: [u32; 2] = [concat!(a), stringify!(a)];
