// SPDX-License-Identifier: MIT OR Apache-2.0

//! Only an object with a `DelayedWork` has the timer that a delay needs.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::Arc,
    workqueue::{self, impl_has_work, Work, WorkItem},
};
extern crate kernel as pin_init;

type Data = u32;

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
    #[cfg(misuse)]
    let _ = workqueue::system().enqueue_delayed(job, 1); //~ E0277
    #[cfg(not(misuse))]
    let _ = workqueue::system().enqueue(job);
}
