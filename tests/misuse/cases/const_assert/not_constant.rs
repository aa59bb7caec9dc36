// SPDX-License-Identifier: MIT OR Apache-2.0

//! A condition is known before the module runs.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

pub fn check(number: usize) {
    #[cfg(misuse)]
    const_assert!(number > 0); //~ E0435
    #[cfg(not(misuse))]
    const_assert!(usize::MAX > 0);
    let _ = number;
}
