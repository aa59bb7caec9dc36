// SPDX-License-Identifier: MIT OR Apache-2.0

//! The object says what its work does.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, workqueue::{new_delayed_work, DelayedWork, WorkItem}};

pub struct Job;

#[cfg(misuse)]
pub fn work() -> impl PinInit<DelayedWork<Job>> {
    new_delayed_work!() //~ E0277
}

#[cfg(not(misuse))]
pub fn work<T: WorkItem>() -> impl PinInit<DelayedWork<T>> {
    new_delayed_work!()
}

#[cfg(misuse)]
pub fn run<T: WorkItem>(item: T::Pointer) {
    T::run(item);
}
