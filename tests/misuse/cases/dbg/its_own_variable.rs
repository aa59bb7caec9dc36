// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macro's variable is none of the user's.
#![no_std]
#![forbid(unsafe_code)]

const __LOG_PREFIX: &[u8] = b"case\0";

pub fn show(number: u8) -> u8 {
    #[cfg(misuse)]
    return kernel::dbg!({ number + kernel::dbg!(tmp) }); //~ E0425
    #[cfg(not(misuse))]
    return kernel::dbg!({ number + kernel::dbg!(number) });
}
