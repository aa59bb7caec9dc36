// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every argument is printed.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

const __LOG_PREFIX: &[u8] = b"case\0";

pub fn tell(number: u32) {
    #[cfg(misuse)]
    pr_info!("a number\n", number); //~ "argument never used"
    #[cfg(not(misuse))]
    pr_info!("a number: {}\n", number);
}
