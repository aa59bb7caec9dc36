// SPDX-License-Identifier: MIT OR Apache-2.0

//! A guard is dropped by the thread that took the lock.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kthread::KThread, prelude::*};

kernel::sync::global_lock! {
    unsafe(uninit) static LOCK: Mutex<u32> = 0;
}

pub fn spawn() -> Result<KThread> {
    #[cfg(misuse)]
    {
        let guard = LOCK.lock();
        return KThread::spawn(c"thread", move |_| drop(guard)); //~ E0277
    }
    #[cfg(not(misuse))]
    KThread::spawn(c"thread", move |_| drop(LOCK.lock()))
}
