// SPDX-License-Identifier: MIT OR Apache-2.0

//! The name is a literal, so that it lives as long as the module.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, workqueue::{new_delayed_work, DelayedWork, WorkItem}};

pub fn work<T: WorkItem>(_name: &str) -> impl PinInit<DelayedWork<T>> {
    #[cfg(misuse)]
    return new_delayed_work!(_name); //~ "no rules expected"
    #[cfg(not(misuse))]
    new_delayed_work!("name")
}
