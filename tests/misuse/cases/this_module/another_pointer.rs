// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module cannot say that it is another one.
#![no_std]
#![forbid(unsafe_code)]

use kernel::ThisModule;

#[cfg(misuse)]
pub static MODULE: ThisModule = ThisModule::from_ptr(core::ptr::null_mut()); //~ E0133

#[cfg(not(misuse))]
pub static MODULE: ThisModule = kernel::module::this_module!();
