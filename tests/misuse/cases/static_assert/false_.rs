// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is false does not compile.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[cfg(misuse)]
static_assert!(size_of::<u32>() == 8); //~ E0080
#[cfg(not(misuse))]
static_assert!(size_of::<u32>() == 4);
