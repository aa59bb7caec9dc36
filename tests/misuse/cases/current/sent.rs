// SPDX-License-Identifier: MIT OR Apache-2.0

//! A `CurrentTask` stays in its thread.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{current, task::Task};

fn send<T: Send>(_: T) {}

pub fn give() {
    #[cfg(misuse)]
    send(current!()); //~ E0277
    #[cfg(not(misuse))]
    send::<&Task>(current!());
}
