// SPDX-License-Identifier: GPL-2.0-only

//! Starts timers, as the parameter `what` says.

#![no_std]
#![forbid(unsafe_code)]

use core::mem::forget;
use kernel::{
    new_spinlock,
    prelude::*,
    stack_pin_init,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, ArcBorrow, Completion, SpinLock,
    },
    time::{
        hrtimer::{
            impl_has_hr_timer, AbsolutePinnedMode, ArcHrTimerHandle, HrTimer, HrTimerCallback,
            HrTimerCallbackContext, HrTimerHandle, HrTimerPointer, HrTimerRestart, RelativeMode,
            RelativeSoftMode,
        },
        BootTime, Delta, Instant, Monotonic,
    },
};

module! {
    type: Timers,
    name: "kt_hrtimer",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        what: &'static CStr { default: c"each", description: "What to do" },
    },
}

const SOON: Delta = Delta::from_micros(200);
const HOUR: Delta = Delta::from_secs(3600);

struct Timers {
    handle: Option<ArcHrTimerHandle<Ticker>>,
}

fn check(what: &str, holds: bool) -> Result {
    if holds {
        return Ok(());
    }
    pr_err!("wrong: {what}\n");
    Err(EINVAL)
}

/// Runs until it has done so `limit` times, or for ever if that is 0.
#[pin_data(PinnedDrop)]
struct Ticker {
    runs: Atomic<u64>,
    limit: u64,
    #[pin]
    timer: HrTimer<Self>,
    #[pin]
    third: Completion,
    /// The handle of this timer, which its own callback drops.
    #[pin]
    own: SpinLock<Option<ArcHrTimerHandle<Ticker>>>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Ticker { mode: RelativeMode<Monotonic>, field: self.timer }
}

impl HrTimerCallback for Ticker {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, mut ctx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        let before = this.timer.expires();
        if ctx.forward(before - SOON, SOON) != 0 || ctx.forward(before, SOON) != 1 {
            pr_err!("wrong: forward\n");
        }
        ctx.forward_now(SOON);
        let own = this.own.try_lock().and_then(|mut own| own.take());
        if let Some(mut own) = own {
            pr_info!("cancelled in its callback: {}\n", own.cancel());
        }
        let runs = this.runs.fetch_add(1, Relaxed) + 1;
        if runs == 3 || runs == this.limit {
            this.third.complete_all();
        }
        match runs == this.limit {
            true => HrTimerRestart::NoRestart,
            false => HrTimerRestart::Restart,
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Ticker {
    fn drop(self: Pin<&mut Self>) {
        pr_info!("a ticker is dropped\n");
    }
}

fn ticker(limit: u64) -> Result<Arc<Ticker>> {
    let ticker = pin_init!(Ticker {
        runs: Atomic::new(0),
        limit,
        timer <- HrTimer::new(),
        third <- Completion::new(),
        own <- new_spinlock!(None),
    });
    Arc::pin_init(ticker, GFP_KERNEL)
}

/// Is started through a box.
#[pin_data]
struct Boxed {
    runs: u32,
    done: Arc<Completion>,
    #[pin]
    timer: HrTimer<Self>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Boxed { mode: RelativeSoftMode<Monotonic>, field: self.timer }
}

impl HrTimerCallback for Boxed {
    type Pointer<'a> = Pin<KBox<Self>>;

    fn run(mut this: Pin<&mut Self>, mut ctx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        let this = this.as_mut().project();
        *this.runs += 1;
        if *this.runs == 1 {
            ctx.forward_now(SOON);
            return HrTimerRestart::Restart;
        }
        if *this.runs == 2 {
            // Without the context.
            this.timer.forward_now(SOON);
            return HrTimerRestart::Restart;
        }
        this.done.complete_all();
        HrTimerRestart::NoRestart
    }
}

/// Expires at a time, and does not move that forward.
#[pin_data]
struct Alarm {
    runs: Atomic<u64>,
    #[pin]
    third: Completion,
    #[pin]
    timer: HrTimer<Self>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Alarm { mode: AbsolutePinnedMode<BootTime>, field: self.timer }
}

impl HrTimerCallback for Alarm {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, _ctx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        if this.runs.fetch_add(1, Relaxed) < 2 {
            return HrTimerRestart::Restart;
        }
        this.third.complete_all();
        HrTimerRestart::NoRestart
    }
}

fn alarm() -> Result<Arc<Alarm>> {
    let alarm = pin_init!(Alarm {
        runs: Atomic::new(0),
        third <- Completion::new(),
        timer <- HrTimer::new(),
    });
    Arc::pin_init(alarm, GFP_KERNEL)
}

fn each() -> Result {
    let arc = ticker(0)?;
    let mut handle = arc.clone().start(SOON);
    arc.third.wait_for_completion();
    let second = arc.clone().start(SOON);
    drop(second);
    handle.cancel();
    let runs = arc.runs.load(Relaxed);
    check("it has run", runs >= 3)?;
    check("it is cancelled", !handle.cancel())?;
    drop(handle);
    let mut handle = arc.clone().start(HOUR);
    check("it waits", handle.cancel() && !handle.cancel())?;
    check("it has not run", arc.runs.load(Relaxed) == runs)?;
    // A negative duration is none.
    let past = ticker(1)?;
    let _handle = past.clone().start(-HOUR);
    past.third.wait_for_completion();
    drop(arc);
    drop(handle);

    let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
    let theirs = done.clone();
    let boxed = pin_init!(Boxed { runs: 0, done: theirs, timer <- HrTimer::new() });
    let mut handle = KBox::pin_init(boxed, GFP_KERNEL)?.start(SOON);
    done.wait_for_completion();
    handle.cancel();
    check("it has ended", !handle.cancel())?;
    drop(handle);
    let theirs = done.clone();
    let boxed = pin_init!(Boxed { runs: 0, done: theirs, timer <- HrTimer::new() });
    drop(KBox::pin_init(boxed, GFP_KERNEL)?.start(HOUR));

    for time in [Instant::now() + SOON, Instant::from_start_of_the_clock()] {
        let alarm = alarm()?;
        let _handle = alarm.clone().start(time);
        alarm.third.wait_for_completion();
    }
    // A timer on the stack, which cannot be started.
    stack_pin_init!(let _never = HrTimer::<Alarm>::new());
    pr_info!("all timers run\n");
    Ok(())
}

trait Start {
    fn from_start_of_the_clock() -> Self;
}

impl Start for Instant<BootTime> {
    /// A time before the start of the clock, which counts as the start.
    fn from_start_of_the_clock() -> Self {
        Self::now() - Delta::from_nanos(i64::MAX)
    }
}

impl kernel::Module for Timers {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut handle = None;
        match module_parameters::what.value().to_bytes() {
            b"each" => each()?,
            b"periodic" => {
                let ticker = ticker(0)?;
                handle = Some(ticker.clone().start(SOON));
                ticker.third.wait_for_completion();
                pr_info!("it runs\n");
            }
            b"waiting" => handle = Some(ticker(0)?.start(HOUR)),
            b"failing" => {
                let ticker = ticker(0)?;
                let _handle = ticker.clone().start(SOON);
                ticker.third.wait_for_completion();
                return Err(EDOM);
            }
            b"own" => {
                let ticker = ticker(0)?;
                let mut own = ticker.own.lock();
                *own = Some(ticker.clone().start(SOON));
                drop(own);
                ticker.third_or_first();
                pr_info!("it has run\n");
            }
            b"leaked" => {
                let ticker = ticker(0)?;
                forget(ticker.clone().start(SOON));
                ticker.third.wait_for_completion();
                pr_info!("it runs\n");
            }
            _ => return Err(EINVAL),
        }
        Ok(Timers { handle })
    }
}

impl Ticker {
    /// Waits until the callback has dropped the handle.
    fn third_or_first(&self) {
        while self.runs.load(Relaxed) == 0 {
            kernel::time::delay::fsleep(SOON);
        }
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        pr_info!("the module is dropped\n");
        drop(self.handle.take());
    }
}
