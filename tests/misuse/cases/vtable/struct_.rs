// SPDX-License-Identifier: MIT OR Apache-2.0

//! It goes on a trait, and on an implementation of one.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[cfg_attr(misuse, vtable)]
pub struct Nothing; //~ "goes on a trait"
