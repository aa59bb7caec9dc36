// SPDX-License-Identifier: MIT OR Apache-2.0

//! The derive macro implements no other unsafe trait by that name.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
extern crate self as pin_init;

#[cfg(misuse)]
pub use kernel::init::ZeroableOption as Zeroable;
#[cfg(not(misuse))]
pub use kernel::Zeroable;

#[derive(kernel::init::MaybeZeroable)] //~ E0438
pub struct Unit;
