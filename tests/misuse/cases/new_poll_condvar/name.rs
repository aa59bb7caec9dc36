// SPDX-License-Identifier: MIT OR Apache-2.0

//! The name is a literal, so that it lives as long as the module.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_poll_condvar, prelude::*, sync::poll::PollCondVar};

pub fn condvar(_name: &str) -> impl PinInit<PollCondVar, Error> {
    #[cfg(misuse)]
    return new_poll_condvar!(_name); //~ "no rules expected"
    #[cfg(not(misuse))]
    new_poll_condvar!("name")
}
