// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module's own `core` asserts nothing.
#![no_std]
#![forbid(unsafe_code)]

extern crate self as core;

#[macro_export]
macro_rules! assert {
    ($($t:tt)*) => {
        ()
    };
}

use kernel::prelude::static_assert;

#[cfg(misuse)]
static_assert!(1 + 1 == 3); //~ E0080
#[cfg(not(misuse))]
static_assert!(1 + 1 == 2);
