// SPDX-License-Identifier: MIT OR Apache-2.0

//! Another thread is another task.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{current, kthread::KThread, prelude::*, sync::aref::ARef, task::Task};

pub fn spawn() -> Result<KThread> {
    #[cfg(misuse)]
    let task: &Task = current!(); //~ E0716
    #[cfg(not(misuse))]
    let task: ARef<Task> = ARef::from(&**current!());
    KThread::spawn(c"thread", move |_| pr_info!("{}\n", task.pid()))
}

const __LOG_PREFIX: &[u8] = b"case\0";
