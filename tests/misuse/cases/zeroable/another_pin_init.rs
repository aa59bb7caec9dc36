// SPDX-License-Identifier: MIT OR Apache-2.0

//! A crate may call itself `pin_init`: what is claimed of a type is checked all the same.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
extern crate self as pin_init;

pub use kernel::Zeroable;

pub mod __internal {
    pub use core::marker::Sized;
    pub fn is_zeroable<T: ?Sized>() {}
}

#[derive(kernel::init::Zeroable)]
pub struct Name(
    #[cfg(misuse)] //
    pub  &'static str, //~ E0277
    #[cfg(not(misuse))] //
    pub  Option<&'static u8>,
);

pub fn name() -> Name {
    kernel::init::zeroed()
}
