// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field is aligned.
#![no_std]
#![forbid(unsafe_code)]

use kernel::workqueue::{impl_has_work, Work};

#[cfg_attr(misuse, repr(packed))]
pub struct Job {
    pub byte: u8,
    pub work: Work<Job>,
}

impl_has_work! {
    impl HasWork<Self> for Job { self.work } //~^ E0793
}
