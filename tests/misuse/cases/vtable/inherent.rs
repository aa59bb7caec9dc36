// SPDX-License-Identifier: MIT OR Apache-2.0

//! Methods of the type's own are in no table.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

pub struct Nothing;

#[cfg_attr(misuse, vtable)]
impl Nothing {
    //~^ "goes on a trait"
    pub fn start(&self) {}
}
