// SPDX-License-Identifier: MIT OR Apache-2.0

//! The name is a C string.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_mutex, prelude::*, sync::Mutex};

#[cfg(misuse)]
pub fn lock() -> impl PinInit<Mutex<u32>> {
    new_mutex!(5, "a\0b") //~ E0080
}

#[cfg(not(misuse))]
pub fn lock() -> impl PinInit<Mutex<u32>> {
    new_mutex!(5, "a b")
}
