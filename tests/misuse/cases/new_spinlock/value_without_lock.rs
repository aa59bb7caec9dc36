// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is in it is reached by its holder only.
#![no_std]
#![forbid(unsafe_code)]

use kernel::sync::SpinLock;

pub fn add(lock: &SpinLock<u32>) {
    #[cfg(misuse)]
    {
        lock.data += 1; //~ E0616
    }
    *lock.lock() += 1;
}
