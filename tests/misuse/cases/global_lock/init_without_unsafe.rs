// SPDX-License-Identifier: MIT OR Apache-2.0

//! Upstream's `init` stays what it is there; without it the lock is ready as well.
#![no_std]
#![forbid(unsafe_code)]

kernel::sync::global_lock! {
    static LOCK: Mutex<u32> = 0;
}

pub fn count() -> u32 {
    #[cfg(misuse)]
    LOCK.init(); //~ E0133
    *LOCK.lock()
}
