// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field is the work of the object itself, not that of another type.
#![no_std]
#![forbid(unsafe_code)]

use kernel::workqueue::{impl_has_work, Work};

pub struct Other;

pub struct Job {
    pub work: Work<Job>,
    pub other: Work<Other>,
}

impl_has_work! {
    impl HasWork<Self> for Job { self.work }
}

pub struct Wrong {
    pub work: Work<Job>,
}

#[cfg(misuse)]
impl_has_work! {
    impl HasWork<Self> for Wrong { self.work } //~^ E0308
}
