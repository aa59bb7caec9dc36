// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nobody makes the handle of a thread that is none.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kthread::CurrentKThread, time::Delta};

pub fn sleep(thread: &CurrentKThread) {
    #[cfg(misuse)]
    let thread = &CurrentKThread(core::ptr::NonNull::dangling()); //~ E0423
    let _ = thread.sleep(Delta::from_millis(1));
}
