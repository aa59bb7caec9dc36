// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor does the derive macro implement another unsafe trait by that name.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
extern crate self as pin_init;

#[cfg(misuse)]
pub use kernel::init::ZeroableOption as Zeroable;
#[cfg(not(misuse))]
pub use kernel::Zeroable;

pub mod __internal {
    pub use core::marker::Sized;
}

#[derive(kernel::init::Zeroable)] //~ E0438
pub struct Unit;
