// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a thread knows itself by is gone when its closure returns.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kthread::{KThread, CurrentKThread},
    prelude::*,
};

pub fn start() -> Result<KThread<bool>> {
    KThread::spawn(c"keeps", |thread| {
        #[cfg(misuse)]
        let thread: &'static CurrentKThread = thread; //~ "lifetime may not live long enough"
        thread.should_stop()
    })
}
