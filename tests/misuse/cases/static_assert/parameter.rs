// SPDX-License-Identifier: MIT OR Apache-2.0

//! It stands outside of functions, so a function's parameters are not there.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

pub fn check<const N: usize>() {
    #[cfg(misuse)]
    static_assert!(N > 0); //~ E0401
    #[cfg(not(misuse))]
    const_assert!(N > 0);
}
