// SPDX-License-Identifier: MIT OR Apache-2.0

//! The borrow ends with the function.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{current, sync::aref::ARef, task::Task};

#[cfg(misuse)]
pub fn task<'a>() -> &'a Task {
    current!() //~ E0515
}

#[cfg(not(misuse))]
pub fn task() -> ARef<Task> {
    ARef::from(&**current!())
}
