// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the constants say is true or false.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[vtable]
pub trait Operations {
    fn start(&self) {}
}

pub struct Nothing;

#[vtable]
impl Operations for Nothing {
    #[cfg(misuse)]
    const HAS_START: u8 = 2; //~ E0326
    #[cfg(not(misuse))]
    const HAS_START: bool = false;
}
