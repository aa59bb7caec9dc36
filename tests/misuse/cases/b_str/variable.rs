// SPDX-License-Identifier: MIT OR Apache-2.0

//! The text is a literal, so that it lives as long as the module.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{b_str, str::BStr};

pub fn name(_text: &str) -> &'static BStr {
    #[cfg(misuse)]
    return b_str!(_text); //~ "no rules expected"
    #[cfg(not(misuse))]
    b_str!("text")
}
