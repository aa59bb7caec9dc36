// SPDX-License-Identifier: MIT OR Apache-2.0

//! A guard is dropped by the thread that took the lock.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kthread::KThread, prelude::*, sync::{Arc, Mutex}};

pub fn hold(lock: Arc<Mutex<u32>>) -> Result<KThread> {
    #[cfg(misuse)]
    {
        let lock: &'static Mutex<u32> = KBox::leak(KBox::new(lock, GFP_KERNEL)?);
        let guard = lock.lock();
        return KThread::spawn(c"thread", move |_| drop(guard)); //~ E0277
    }
    #[cfg(not(misuse))]
    KThread::spawn(c"thread", move |_| drop(lock.lock()))
}
