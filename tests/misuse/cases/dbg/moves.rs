// SPDX-License-Identifier: MIT OR Apache-2.0

//! It takes the value, and gives it on.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

const __LOG_PREFIX: &[u8] = b"case\0";

pub fn show(page: KBox<u8>) -> KBox<u8> {
    #[cfg(misuse)]
    kernel::dbg!(page);
    #[cfg(not(misuse))]
    kernel::dbg!(&page);
    page //~ E0382
}
