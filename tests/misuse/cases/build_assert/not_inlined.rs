// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor what a caller knows and the function does not.
#![no_std]
#![forbid(unsafe_code)]
//@ build-error: small

use kernel::prelude::*;

#[cfg_attr(misuse, inline(never))]
#[cfg_attr(not(misuse), inline(always))]
pub fn small(number: usize) -> usize {
    build_assert!(number < 100, "too large");
    number
}

#[inline(never)]
pub fn outer(number: usize) -> usize {
    small(number % 100)
}
