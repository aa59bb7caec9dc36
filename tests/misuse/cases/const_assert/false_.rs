// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is false does not compile.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

pub fn check() {
    #[cfg(misuse)]
    const_assert!(size_of::<u32>() == 8); //~ E0080
    #[cfg(not(misuse))]
    const_assert!(size_of::<u32>() == 4);
}
