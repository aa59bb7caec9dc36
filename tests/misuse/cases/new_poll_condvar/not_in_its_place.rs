// SPDX-License-Identifier: MIT OR Apache-2.0

//! It is made in its place: the macro gives what makes it, which may fail.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_poll_condvar, prelude::*, sync::poll::PollCondVar};

#[cfg(misuse)]
pub fn condvar() -> PollCondVar {
    new_poll_condvar!() //~ E0308
}

#[cfg(not(misuse))]
pub fn condvar() -> impl PinInit<PollCondVar, Error> {
    new_poll_condvar!()
}
