// SPDX-License-Identifier: MIT OR Apache-2.0

//! A thread waits as itself: another one cannot do it by its handle.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kthread::KThread, prelude::*, time::Delta};

pub fn start() -> Result<KThread> {
    KThread::spawn(c"outer", |outer| {
        let inner = KThread::spawn(c"inner", move |inner| {
            //~^ E0277
            #[cfg(misuse)]
            let inner = outer;
            let _ = inner.sleep(Delta::from_millis(1));
        });
        let _ = outer.sleep(Delta::from_millis(1));
        drop(inner);
    })
}
