// SPDX-License-Identifier: MIT OR Apache-2.0

//! A callback runs on any CPU, so what its object owns may be used there.
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

#[cfg(misuse)]
pub type Data = kernel::types::NotThreadSafe;
#[cfg(not(misuse))]
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

pub fn start(job: Arc<Job>) {
    let handle = job.start(Delta::from_secs(1)); //~ E0599
    drop(handle);
}
