// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field is aligned.
#![no_std]
#![forbid(unsafe_code)]

use kernel::time::{hrtimer::{impl_has_hr_timer, HrTimer, RelativeMode}, Monotonic};

#[cfg_attr(misuse, repr(packed))]
pub struct Job {
    pub byte: u8,
    pub timer: HrTimer<Job>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Job { mode: RelativeMode<Monotonic>, field: self.timer } //~^ E0793
}
