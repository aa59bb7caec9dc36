// SPDX-License-Identifier: MIT OR Apache-2.0

//! A lock is made in its place: the macro gives what makes it, not a lock.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_mutex, prelude::*, sync::Mutex};

#[cfg(misuse)]
pub fn lock() -> Mutex<u32> {
    new_mutex!(5) //~ E0308
}

#[cfg(not(misuse))]
pub fn lock() -> impl PinInit<Mutex<u32>> {
    new_mutex!(5)
}
