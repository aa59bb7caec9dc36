// SPDX-License-Identifier: MIT OR Apache-2.0

//! A thread may run for longer than the function that starts it: it owns what it uses.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kthread::KThread,
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
    sync::Arc,
};

pub fn count() -> Result<KThread> {
    #[cfg(misuse)]
    let count = Atomic::new(0_u32);
    #[cfg(misuse)]
    let hits = &count; //~ E0597
    #[cfg(not(misuse))]
    let hits = Arc::new(Atomic::new(0_u32), GFP_KERNEL)?;
    KThread::spawn(c"count", move |_| {
        hits.add(1, Relaxed);
    })
}
