// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the closure returns is sent back.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kthread::KThread, prelude::*};

#[cfg(misuse)]
pub type Given = *const u8;
#[cfg(not(misuse))]
pub type Given = usize;

pub struct Holder {
    pub thread: KThread<Given>, //~ E0277
}
