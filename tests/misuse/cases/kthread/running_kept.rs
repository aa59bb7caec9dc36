//! What a thread knows itself by is gone when its closure returns.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kthread::{KThread, Running},
    prelude::*,
};

pub fn start() -> Result<KThread<bool>> {
    KThread::spawn(c"keeps", |thread| {
        #[cfg(misuse)]
        let thread: &'static Running = thread; //~ "lifetime may not live long enough"
        thread.should_stop()
    })
}
