// SPDX-License-Identifier: MIT OR Apache-2.0

//! A condition has no unsafe code of its own.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[inline(always)]
pub fn some(number: &u8) {
    #[cfg(misuse)]
    build_assert!(unsafe { core::ptr::read(number) } != 0); //~ unsafe_code
    #[cfg(not(misuse))]
    build_assert!(*number != 0);
}
