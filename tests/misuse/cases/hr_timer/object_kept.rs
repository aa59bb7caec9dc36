// SPDX-License-Identifier: MIT OR Apache-2.0

//! A callback does not keep the object that it borrows.
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

use kernel::sync::SetOnce;

pub type Data = u32;

pub static KEPT: SetOnce<ArcBorrow<'static, Job>> = SetOnce::new();

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
        #[cfg(misuse)]
        KEPT.populate(_this); //~ E0521
        HrTimerRestart::NoRestart
    }
}

pub fn start(job: Arc<Job>) {
    drop(job.start(Delta::from_secs(1)));
}
