// SPDX-License-Identifier: MIT OR Apache-2.0

//! Its message is there when the module is built.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[inline(always)]
pub fn never(message: &str) {
    if size_of::<usize>() == 2 {
        #[cfg(misuse)]
        build_error!(message); //~ E0521
        #[cfg(not(misuse))]
        build_error!("no such machine");
    }
    let _ = message;
}
