// SPDX-License-Identifier: MIT OR Apache-2.0

//! The literal is a text.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{b_str, str::BStr};

pub fn name() -> &'static BStr {
    #[cfg(misuse)]
    return b_str!(5); //~ E0689
    #[cfg(not(misuse))]
    b_str!("5")
}
