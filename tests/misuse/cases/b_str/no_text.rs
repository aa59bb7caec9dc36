// SPDX-License-Identifier: MIT OR Apache-2.0

//! A text is given.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{b_str, str::BStr};

pub fn name() -> &'static BStr {
    #[cfg(misuse)]
    return b_str!(); //~ "unexpected end of macro invocation"
    #[cfg(not(misuse))]
    b_str!("text")
}
