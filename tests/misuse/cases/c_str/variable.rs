// SPDX-License-Identifier: MIT OR Apache-2.0

//! The text is a constant of the source, because the macro adds the NUL.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{c_str, prelude::*};

pub fn name(_text: &str) -> &'static CStr {
    #[cfg(misuse)]
    return c_str!(_text); //~ "expected a literal"
    #[cfg(not(misuse))]
    c_str!("text")
}
