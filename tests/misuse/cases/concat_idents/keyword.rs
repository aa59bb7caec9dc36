// SPDX-License-Identifier: MIT OR Apache-2.0

//! No keyword is made.
#![no_std]
#![forbid(unsafe_code)]

use kernel::macros::concat_idents;

pub fn read() -> u8 {
    let five = 5;
    #[cfg(misuse)]
    return concat_idents!(sel, f); //~ "`self` is not an identifier"
    #[cfg(not(misuse))]
    concat_idents!(fi, ve)
}
