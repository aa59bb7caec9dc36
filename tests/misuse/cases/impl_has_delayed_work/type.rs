// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field is the work of the object itself, not that of another type.
#![no_std]
#![forbid(unsafe_code)]

use kernel::workqueue::{impl_has_delayed_work, DelayedWork};

pub struct Other;

pub struct Job {
    pub work: DelayedWork<Job>,
    pub other: DelayedWork<Other>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Job { self.work }
}

pub struct Wrong {
    pub work: DelayedWork<Job>,
}

#[cfg(misuse)]
impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Wrong { self.work } //~^ E0308
}
