// SPDX-License-Identifier: MIT OR Apache-2.0

//! The field is the timer of the object itself, not that of another type.
#![no_std]
#![forbid(unsafe_code)]

use kernel::time::{hrtimer::{impl_has_hr_timer, HrTimer, RelativeMode}, Monotonic};

pub struct Job {
    pub timer: HrTimer<Job>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Job { mode: RelativeMode<Monotonic>, field: self.timer }
}

pub struct Wrong {
    pub timer: HrTimer<Job>,
}

#[cfg(misuse)]
impl_has_hr_timer! {
    impl HasHrTimer<Self> for Wrong { mode: RelativeMode<Monotonic>, field: self.timer } //~^ E0308
}
