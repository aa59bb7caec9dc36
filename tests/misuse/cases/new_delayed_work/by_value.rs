// SPDX-License-Identifier: MIT OR Apache-2.0

//! A work stays in its place, so there is only an initialiser of one.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, workqueue::{new_delayed_work, DelayedWork, WorkItem}};

#[cfg(misuse)]
pub fn work<T: WorkItem>() -> DelayedWork<T> {
    let _: Result = Ok(());
    new_delayed_work!() //~ E0308
}

#[cfg(not(misuse))]
pub fn work<T: WorkItem>() -> impl PinInit<DelayedWork<T>> {
    new_delayed_work!()
}
