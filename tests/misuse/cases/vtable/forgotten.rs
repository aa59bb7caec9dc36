// SPDX-License-Identifier: MIT OR Apache-2.0

//! An implementation says by `#[vtable]` which methods are its own.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[vtable]
pub trait Operations {
    fn start(&self) {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }
}

pub struct Nothing;

#[cfg_attr(not(misuse), vtable)]
impl Operations for Nothing {} //~ E0046
