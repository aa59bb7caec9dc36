// SPDX-License-Identifier: MIT OR Apache-2.0

//! Only a queue that outlives who polls can be named: not that of a plain condition variable.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{fs::File, sync::poll::PollTable};

#[cfg(misuse)]
pub type Queue = kernel::sync::CondVar;
#[cfg(not(misuse))]
pub type Queue = kernel::sync::poll::PollCondVar;

pub fn name(file: &File, table: PollTable<'_>, queue: &Queue) {
    table.register_wait(file, queue); //~ E0308
}
