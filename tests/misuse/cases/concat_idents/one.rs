// SPDX-License-Identifier: MIT OR Apache-2.0

//! There are two parts.
#![no_std]
#![forbid(unsafe_code)]

use kernel::macros::concat_idents;

pub fn read() -> u8 {
    let five = 5;
    #[cfg(misuse)]
    return concat_idents!(five); //~ "expected `,`"
    #[cfg(not(misuse))]
    concat_idents!(fi, ve)
}
