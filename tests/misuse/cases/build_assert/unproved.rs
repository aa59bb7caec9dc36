// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the optimiser cannot prove does not link.
#![no_std]
#![forbid(unsafe_code)]
//@ build-error: outer

use kernel::prelude::*;

#[inline(always)]
fn small(number: usize) -> usize {
    build_assert!(number < 100);
    number
}

#[inline(never)]
pub fn outer(number: usize) -> usize {
    #[cfg(misuse)]
    return small(number);
    #[cfg(not(misuse))]
    return small(number % 100);
}
