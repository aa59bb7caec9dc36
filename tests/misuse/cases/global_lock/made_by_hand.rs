// SPDX-License-Identifier: MIT OR Apache-2.0

//! Only the macro makes one.
#![no_std]
#![forbid(unsafe_code)]

use kernel::sync::{lock::global::Entry, GlobalLock};

kernel::sync::global_lock! {
    pub unsafe(uninit) static LOCK: Mutex<u32> = 0;
}
pub const fn other(_entry: &'static Entry) -> Option<GlobalLock<LOCK>> {
    #[cfg(misuse)]
    return Some(GlobalLock::new(0, _entry)); //~ E0133
    #[cfg(not(misuse))]
    None
}
