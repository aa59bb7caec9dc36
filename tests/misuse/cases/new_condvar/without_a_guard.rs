// SPDX-License-Identifier: MIT OR Apache-2.0

//! To wait, one holds the lock.
#![no_std]
#![forbid(unsafe_code)]

use kernel::sync::{CondVar, Mutex};

pub fn wait(condvar: &CondVar, lock: &Mutex<u32>) {
    #[cfg(misuse)]
    condvar.wait(lock); //~ E0308
    condvar.wait(&mut lock.lock());
}
