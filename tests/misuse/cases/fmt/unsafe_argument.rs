// SPDX-License-Identifier: MIT OR Apache-2.0

//! An argument has no unsafe code of its own.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, str::CString};

pub fn name() -> Result<CString> {
    #[cfg(misuse)]
    return CString::try_from_fmt(fmt!("{:x}", unsafe { *(0x1000 as *const u8) })); //~ unsafe_code
    #[cfg(not(misuse))]
    return CString::try_from_fmt(fmt!("{:x}", 0x1000));
}
