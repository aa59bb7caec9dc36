// SPDX-License-Identifier: MIT OR Apache-2.0

//! A C string ends at its first NUL, so there is none in it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{c_str, prelude::*};

pub fn name() -> &'static CStr {
    #[cfg(misuse)]
    return c_str!("two\0parts"); //~ E0080 "the name contains a NUL"
    #[cfg(not(misuse))]
    c_str!("one part")
}
