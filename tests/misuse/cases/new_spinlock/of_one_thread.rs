// SPDX-License-Identifier: MIT OR Apache-2.0

//! It shares what other threads may have, and no other values.
#![no_std]
#![forbid(unsafe_code)]

use core::marker::PhantomData;
use kernel::sync::SpinLock;

fn share<T: Sync>(_: &T) {}

#[cfg(misuse)]
pub fn threads(lock: &SpinLock<PhantomData<*mut u8>>) {
    share(lock); //~ E0277
}

#[cfg(not(misuse))]
pub fn threads(lock: &SpinLock<PhantomData<u8>>) {
    share(lock);
}
