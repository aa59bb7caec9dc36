// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nobody looks at the value while the lock is given back.
#![no_std]
#![forbid(unsafe_code)]

use kernel::sync::{CondVar, Mutex};

pub fn wait(condvar: &CondVar, lock: &Mutex<u32>) -> u32 {
    let mut guard = lock.lock();
    #[cfg(misuse)]
    {
        let value = &*guard;
        condvar.wait(&mut guard); //~ E0502
        return *value;
    }
    condvar.wait(&mut guard);
    *guard
}
