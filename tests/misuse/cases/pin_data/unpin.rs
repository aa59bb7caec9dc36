// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nobody but the macro says that a struct may move.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::marker::PhantomPinned;

#[pin_init::pin_data]
pub struct One<T> { //~ E0119
    #[pin]
    pub a: T,
    #[pin]
    pub pin: PhantomPinned,
}

#[cfg(misuse)]
impl Unpin for One<u8> {}
