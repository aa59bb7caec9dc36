// SPDX-License-Identifier: MIT OR Apache-2.0

//! The text is a literal: what comes from elsewhere is an argument.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, str::CString};

pub fn name(text: &'static str) -> Result<CString> {
    #[cfg(misuse)]
    return CString::try_from_fmt(fmt!(text)); //~ "must be a string literal"
    #[cfg(not(misuse))]
    return CString::try_from_fmt(fmt!("{text}"));
}
