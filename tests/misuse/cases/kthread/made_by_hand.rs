//! Nobody makes the handle of a thread that is none.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kthread::Running, time::Delta};

pub fn sleep(thread: &Running) {
    #[cfg(misuse)]
    let thread = &Running(core::ptr::NonNull::dangling()); //~ E0423
    let _ = thread.sleep(Delta::from_millis(1));
}
