// SPDX-License-Identifier: GPL-2.0-only

//! Callbacks of timers. The build refuses all of them except `Fine` and `Locks`.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, ArcBorrow, SpinLock};
use kernel::time::hrtimer::{
    impl_has_hr_timer, HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerPointer,
    HrTimerRestart, RelativeHardMode, RelativeMode,
};
use kernel::time::{delay::fsleep, Delta, Monotonic};
use kernel::new_spinlock;

module! {
    type: Timers,
    name: "timers",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

const SOON: Delta = Delta::from_millis(1);

#[pin_data]
struct Timer<const WHAT: u8> {
    seen: Atomic<u64>,
    #[pin]
    lock: SpinLock<u64>,
    #[pin]
    timer: HrTimer<Self>,
}

const LOCKS: u8 = 0;
const LOCKS_AND_SLEEPS: u8 = 1;
const FINE: u8 = 2;
const HARD_LOCKS: u8 = 3;

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Timer<LOCKS> { mode: RelativeMode<Monotonic>, field: self.timer }
    impl HasHrTimer<Self> for Timer<LOCKS_AND_SLEEPS> {
        mode: RelativeMode<Monotonic>, field: self.timer
    }
    impl HasHrTimer<Self> for Timer<FINE> { mode: RelativeHardMode<Monotonic>, field: self.timer }
    impl HasHrTimer<Self> for Timer<HARD_LOCKS> {
        mode: RelativeHardMode<Monotonic>, field: self.timer
    }
}

impl HrTimerCallback for Timer<LOCKS> {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, _: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        *this.lock.lock() += 1;
        HrTimerRestart::NoRestart
    }
}

impl HrTimerCallback for Timer<LOCKS_AND_SLEEPS> {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, _: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        *this.lock.lock() += 1;
        fsleep(SOON); // in a callback
        HrTimerRestart::NoRestart
    }
}

impl HrTimerCallback for Timer<FINE> {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, mut ctx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        this.seen.add(1, Relaxed);
        ctx.forward_now(SOON);
        HrTimerRestart::Restart
    }
}

impl HrTimerCallback for Timer<HARD_LOCKS> {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, _: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        *this.lock.lock() += 1; // in a hard mode
        HrTimerRestart::NoRestart
    }
}

macro_rules! start {
    ($what:ident) => {{
        let timer = pin_init!(Timer::<$what> {
            seen: Atomic::new(0),
            lock <- new_spinlock!(0),
            timer <- HrTimer::new(),
        });
        drop(Arc::pin_init(timer, GFP_KERNEL)?.start(SOON));
    }};
}

struct Timers;

impl kernel::Module for Timers {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        start!(LOCKS);
        start!(LOCKS_AND_SLEEPS);
        start!(FINE);
        start!(HARD_LOCKS);
        Ok(Timers)
    }
}
