// SPDX-License-Identifier: MIT OR Apache-2.0

//! A reference starts a timer for the time of a closure only, because a handle can be leaked.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    time::{
        hrtimer::{
            impl_has_hr_timer, HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerRestart,
            RelativeMode, ScopedHrTimerPointer, UnsafeHrTimerPointer,
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
    type Pointer<'a> = Pin<&'a Self>;

    fn run(_this: Pin<&Self>, _ctx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        HrTimerRestart::NoRestart
    }
}

pub fn start(job: Pin<&Job>) {
    #[cfg(misuse)]
    core::mem::forget(UnsafeHrTimerPointer::start(job, Delta::from_secs(1))); //~ E0133
    #[cfg(not(misuse))]
    job.start_scoped(Delta::from_secs(1), || {});
}

pub fn is_unsafe<P: UnsafeHrTimerPointer>(_: P) {}
