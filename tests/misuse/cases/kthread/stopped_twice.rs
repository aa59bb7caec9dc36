// SPDX-License-Identifier: MIT OR Apache-2.0

//! A thread is stopped once: that frees it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::kthread::KThread;

pub fn stop(thread: KThread<u32>) -> Option<u32> {
    let first = thread.stop();
    #[cfg(misuse)]
    let first = thread.stop(); //~ E0382
    first
}
