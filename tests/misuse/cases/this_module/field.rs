// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor by writing the pointer into it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::ThisModule;

#[cfg(misuse)]
pub static MODULE: ThisModule = ThisModule(core::ptr::null_mut()); //~ E0423

#[cfg(not(misuse))]
pub static MODULE: ThisModule = kernel::module::this_module!();
