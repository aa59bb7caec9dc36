// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is shown has a form to be shown in.
#![no_std]
#![forbid(unsafe_code)]

const __LOG_PREFIX: &[u8] = b"case\0";

#[cfg_attr(not(misuse), derive(Debug))]
pub struct Silent;

pub fn show(silent: Silent) -> Silent {
    kernel::dbg!(silent) //~ E0277
}
