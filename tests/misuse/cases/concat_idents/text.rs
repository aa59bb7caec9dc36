// SPDX-License-Identifier: MIT OR Apache-2.0

//! The parts are identifiers.
#![no_std]
#![forbid(unsafe_code)]

use kernel::macros::concat_idents;

pub fn read() -> u8 {
    let five = 5;
    #[cfg(misuse)]
    return concat_idents!(fi, "ve"); //~ "expected identifier"
    #[cfg(not(misuse))]
    concat_idents!(fi, ve)
}
