// SPDX-License-Identifier: MIT OR Apache-2.0

//! The text is a literal: what comes from elsewhere is an argument, and escaped.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

const __LOG_PREFIX: &[u8] = b"case\0";

pub fn tell(text: &'static str) {
    #[cfg(misuse)]
    pr_info!(text); //~ "must be a string literal"
    //~^ E0435
    #[cfg(not(misuse))]
    pr_info!("{text}\n");
}
