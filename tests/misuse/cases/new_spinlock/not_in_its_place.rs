// SPDX-License-Identifier: MIT OR Apache-2.0

//! A lock is made in its place: the macro gives what makes it, not a lock.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_spinlock, prelude::*, sync::SpinLock};

#[cfg(misuse)]
pub fn lock() -> SpinLock<u32> {
    new_spinlock!(5) //~ E0308
}

#[cfg(not(misuse))]
pub fn lock() -> impl PinInit<SpinLock<u32>> {
    new_spinlock!(5)
}
