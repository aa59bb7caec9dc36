// SPDX-License-Identifier: MIT OR Apache-2.0

//! A reference cannot start a timer, because the handle can be leaked.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    time::{
        hrtimer::{
            impl_has_hr_timer, HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerPointer,
            HrTimerRestart, RelativeMode,
        },
        Delta, Monotonic,
    },
};
extern crate kernel as pin_init;

pub type Data = u32;

#[pin_data]
pub struct Job {
    pub data: Data,
    #[pin]
    pub timer: HrTimer<Self>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Job { mode: RelativeMode<Monotonic>, field: self.timer }
}

impl HrTimerCallback for Job {
    type Pointer<'a> = Pin<KBox<Self>>;

    fn run(_this: Pin<&mut Self>, _ctx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        HrTimerRestart::NoRestart
    }
}

#[cfg(misuse)]
pub fn start(job: Pin<&mut Job>) {
    core::mem::forget(job.start(Delta::from_secs(1))); //~ E0599
}

#[cfg(not(misuse))]
pub fn start(job: Pin<KBox<Job>>) {
    core::mem::forget(job.start(Delta::from_secs(1)));
}
