// SPDX-License-Identifier: MIT OR Apache-2.0

//! An argument has no unsafe code of its own.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

const __LOG_PREFIX: &[u8] = b"case\0";

pub fn tell() {
    #[cfg(misuse)]
    pr_info!("{}\n", unsafe { core::mem::zeroed::<u8>() }); //~ unsafe_code
    #[cfg(not(misuse))]
    pr_info!("{}\n", { size_of::<u8>() });
}
