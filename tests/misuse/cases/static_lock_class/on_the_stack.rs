// SPDX-License-Identifier: MIT OR Apache-2.0

//! A lock class is a static: no safe code makes one elsewhere.
#![no_std]
#![forbid(unsafe_code)]

use core::pin::Pin;
use kernel::sync::LockClassKey;

pub fn key() -> Pin<&'static LockClassKey> {
    #[cfg(misuse)]
    let _key = LockClassKey::new_static(); //~ E0133
    kernel::static_lock_class!()
}
