// SPDX-License-Identifier: MIT OR Apache-2.0

//! It stays where lockdep knows it.
#![no_std]
#![forbid(unsafe_code)]

use core::pin::Pin;
use kernel::sync::LockClassKey;

#[cfg(misuse)]
pub fn key() -> LockClassKey {
    *kernel::static_lock_class!() //~ E0507
}

#[cfg(not(misuse))]
pub fn key() -> Pin<&'static LockClassKey> {
    kernel::static_lock_class!()
}
