// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor does what is to be formatted change before.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, str::CString};

pub fn name(mut number: u32) -> Result<CString> {
    let text = fmt!("{number}");
    #[cfg(misuse)]
    {
        number += 1; //~ E0506
    }
    let name = CString::try_from_fmt(text);
    #[cfg(not(misuse))]
    {
        number += 1;
    }
    let _ = number;
    name
}
