// SPDX-License-Identifier: MIT OR Apache-2.0

//! A timer stays in its place, so there is only an initialiser of one.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::{Arc, ArcBorrow},
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
    type Pointer<'a> = Arc<Self>;

    fn run(_this: ArcBorrow<'_, Self>, _ctx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        HrTimerRestart::NoRestart
    }
}

#[cfg(misuse)]
pub fn timer() -> HrTimer<Job> {
    let _: Option<(Arc<Job>, Delta)> = None;
    HrTimer::new() //~ E0308
}

#[cfg(not(misuse))]
pub fn timer() -> impl PinInit<HrTimer<Job>> {
    HrTimer::new()
}

pub fn start(job: Arc<Job>) {
    drop(job.start(Delta::from_secs(1)));
}
