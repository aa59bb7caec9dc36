// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor out of memory.
#![no_std]
#![forbid(unsafe_code)]

use core::pin::Pin;
use kernel::{sync::LockClassKey, types::Opaque};

pub fn key() -> Pin<&'static LockClassKey> {
    #[cfg(misuse)]
    let _key = LockClassKey(Opaque::uninit()); //~ E0423
    kernel::static_lock_class!()
}
