// SPDX-License-Identifier: MIT OR Apache-2.0

//! A name is given.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{c_str, prelude::*};

pub fn name() -> &'static CStr {
    #[cfg(misuse)]
    return c_str!(); //~ "unexpected end of macro invocation"
    #[cfg(not(misuse))]
    c_str!("text")
}
