// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor for longer than it is held.
#![no_std]
#![forbid(unsafe_code)]

use kernel::sync::SpinLock;

#[cfg(misuse)]
pub fn value(lock: &SpinLock<u32>) -> &u32 {
    &lock.lock() //~ E0515
}

#[cfg(not(misuse))]
pub fn value(lock: &SpinLock<u32>) -> u32 {
    *lock.lock()
}
