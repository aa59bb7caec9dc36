// SPDX-License-Identifier: MIT OR Apache-2.0

//! A name in the text is a variable of the function, and none of the macro's.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, str::CString};

pub fn name(unit: u32) -> Result<CString> {
    #[cfg(misuse)]
    return CString::try_from_fmt(fmt!("{args}{unit}")); //~ E0425
    #[cfg(not(misuse))]
    return CString::try_from_fmt(fmt!("{unit}"));
}
