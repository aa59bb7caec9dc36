// SPDX-License-Identifier: MIT OR Apache-2.0

//! The name is a literal, so that it lives as long as the module.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, workqueue::{new_work, Work, WorkItem}};

pub fn work<T: WorkItem>(_name: &str) -> impl PinInit<Work<T>> {
    #[cfg(misuse)]
    return new_work!(_name); //~ "no rules expected"
    #[cfg(not(misuse))]
    new_work!("name")
}
