// SPDX-License-Identifier: MIT OR Apache-2.0

//! A work runs in another thread, so what it owns may go there.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::Arc,
    types::NotThreadSafe,
    workqueue::{self, impl_has_work, Work, WorkItem},
};
extern crate kernel as pin_init;

#[cfg(misuse)]
type Data = NotThreadSafe;
#[cfg(not(misuse))]
type Data = Option<NotThreadSafe2>;

pub struct NotThreadSafe2;
const _: Option<NotThreadSafe> = None;

#[pin_data]
pub struct Job {
    pub data: Data,
    #[pin]
    pub work: Work<Job>,
}

impl_has_work! {
    impl HasWork<Self> for Job { self.work }
}

impl WorkItem for Job {
    type Pointer = Arc<Job>;

    fn run(_this: Arc<Job>) {}
}

pub fn later(job: Arc<Job>) {
    let _ = workqueue::system().enqueue(job); //~ E0277
    //~^ E0277
}
