// SPDX-License-Identifier: MIT OR Apache-2.0

//! A task is borrowed for as long as it certainly runs, and not for ever.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{current, task::Task};

pub fn pid() -> i32 {
    #[cfg(misuse)]
    {
        let task: &'static Task = current!(); //~ E0716
        return task.pid();
    }
    #[cfg(not(misuse))]
    {
        let task: &Task = current!();
        task.pid()
    }
}
