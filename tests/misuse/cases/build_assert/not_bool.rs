// SPDX-License-Identifier: MIT OR Apache-2.0

//! A condition is a `bool`, and no number that is not 0.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[inline(always)]
pub fn some(number: usize) {
    #[cfg(misuse)]
    build_assert!(number); //~ E0308
    #[cfg(not(misuse))]
    build_assert!(number != 0);
}
