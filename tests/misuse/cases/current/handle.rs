// SPDX-License-Identifier: MIT OR Apache-2.0

//! The handle itself is not for safe code.
#![no_std]
#![forbid(unsafe_code)]

use kernel::task::Task;

pub fn pid() -> i32 {
    #[cfg(misuse)]
    return Task::current().pid(); //~ E0133
    kernel::current!().pid()
}
