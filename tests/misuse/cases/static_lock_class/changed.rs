// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nobody gets to change it.
#![no_std]
#![forbid(unsafe_code)]

use core::pin::Pin;
use kernel::sync::LockClassKey;

pub fn key() {
    let mut key: Pin<&'static LockClassKey> = kernel::static_lock_class!();
    #[cfg(misuse)]
    let _key: &mut LockClassKey = &mut *key; //~ E0596
    let _key: &mut Pin<&'static LockClassKey> = &mut key;
}
