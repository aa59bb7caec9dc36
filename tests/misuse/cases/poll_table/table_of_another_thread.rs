// SPDX-License-Identifier: MIT OR Apache-2.0

//! The task that polls is the one that its table puts on a queue.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(misuse)]
use kernel::sync::poll::PollTable;

pub fn sent<T: Send>() {}

pub fn send() {
    #[cfg(misuse)]
    sent::<PollTable<'_>>(); //~ E0277
    #[cfg(not(misuse))]
    sent::<kernel::sync::poll::PollCondVar>();
}
