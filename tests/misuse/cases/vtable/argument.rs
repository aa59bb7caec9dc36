// SPDX-License-Identifier: MIT OR Apache-2.0

//! It takes no arguments.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[cfg_attr(misuse, vtable(start))] //~ "takes no arguments"
#[cfg_attr(not(misuse), vtable)]
pub trait Operations {
    fn start(&self) {}
}
