// SPDX-License-Identifier: MIT OR Apache-2.0

//! There is a value for every pair of braces.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, str::CString};

pub fn name(unit: u32) -> Result<CString> {
    #[cfg(misuse)]
    return CString::try_from_fmt(fmt!("{}{}", unit)); //~ "2 positional arguments"
    #[cfg(not(misuse))]
    return CString::try_from_fmt(fmt!("{}", unit));
}
