// SPDX-License-Identifier: MIT OR Apache-2.0

//! What can be reached does not link.
#![no_std]
#![forbid(unsafe_code)]
//@ build-error: index

use kernel::prelude::*;

#[inline(never)]
pub fn index(at: usize) -> usize {
    #[cfg(misuse)]
    let limit = at / 2;
    #[cfg(not(misuse))]
    let limit = usize::MAX;
    if at > limit {
        build_error!("out of range");
    }
    at
}
