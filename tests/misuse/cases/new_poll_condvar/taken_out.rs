// SPDX-License-Identifier: MIT OR Apache-2.0

//! The condition variable inside stays where those who wait are linked to it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::sync::{poll::PollCondVar, CondVar};

#[cfg(misuse)]
pub fn take(condvar: PollCondVar) -> CondVar {
    *condvar //~ E0507
}

#[cfg(not(misuse))]
pub fn take(condvar: &PollCondVar) -> &CondVar {
    condvar
}
