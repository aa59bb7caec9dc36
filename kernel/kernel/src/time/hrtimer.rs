// SPDX-License-Identifier: GPL-2.0-only

//! High-resolution timers: functions that run at a time, in an interrupt.
//!
//! An object that has an [`HrTimer`] can be started through a pointer to it: an
//! [`Arc`](crate::sync::Arc) or a pinned box. That returns a handle, and the kernel then calls
//! [`HrTimerCallback::run`]. The handle cancels the timer when it is dropped, and waits until the
//! callback has returned.
//!
//! # Callbacks
//!
//! A callback runs in an interrupt, or in a soft interrupt if the [`HrTimerMode`] says so. So it must
//! not sleep: the build follows each callback through all that it calls, and refuses a module in
//! which one can reach a function that sleeps, or calls through a pointer such as that of a `dyn
//! Trait`. It may wake threads and queue work.
//!
//! With PREEMPT_RT, callbacks run in a thread, unless the mode is a hard one, such as
//! [`RelativeHardMode`]. Locks sleep there, so the build also refuses a callback of a hard mode that
//! can reach a function which takes one: the callback can use atomics, forward its timer, and read
//! clocks.
//!
//! A callback interrupts threads that hold a [`SpinLock`](crate::sync::SpinLock). If it locks the
//! same one, it waits for ever, so it should only use
//! [`try_lock`](crate::sync::lock::Lock::try_lock) on it, or atomics.
//!
//! # Dropping handles
//!
//! Drop a handle in process context. In another timer's callback it works as well, unless the two
//! callbacks wait for each other, or an interrupt waits for a soft interrupt; then they wait for ever.
//! A handle that is dropped in the callback of its own timer cannot wait for that: the timer is not
//! started again, but the object and the module stay in memory for ever.
//!
//! # Unloading
//!
//! The module's code stays until all handles were dropped, so an unload waits for that, and so does a
//! load that fails. A handle that was forgotten makes it wait for ever, which a record says after ten
//! seconds. From the moment when the module's value has been dropped, no timer is started any more.
//!
//! C header: `include/linux/hrtimer.h`
//!
//! Reference: <https://docs.kernel.org/timers/hrtimers.html>
//!
//! # Examples
//!
//! ```
//! use kernel::{
//!     prelude::*,
//!     sync::{
//!         atomic::{Atomic, Relaxed},
//!         Arc, ArcBorrow,
//!     },
//!     time::{
//!         hrtimer::{
//!             impl_has_hr_timer, ArcHrTimerHandle, HrTimer, HrTimerCallback,
//!             HrTimerCallbackContext, HrTimerPointer, HrTimerRestart, RelativeMode,
//!         },
//!         Delta, Monotonic,
//!     },
//! };
//! # extern crate kernel as pin_init;
//!
//! #[pin_data]
//! struct Ticker {
//!     ticks: Atomic<u64>,
//!     #[pin]
//!     timer: HrTimer<Self>,
//! }
//!
//! impl_has_hr_timer! {
//!     impl HasHrTimer<Self> for Ticker {
//!         mode: RelativeMode<Monotonic>, field: self.timer
//!     }
//! }
//!
//! impl HrTimerCallback for Ticker {
//!     type Pointer<'a> = Arc<Self>;
//!
//!     fn run(
//!         this: ArcBorrow<'_, Self>,
//!         mut ctx: HrTimerCallbackContext<'_, Self>,
//!     ) -> HrTimerRestart {
//!         this.ticks.add(1, Relaxed);
//!         ctx.forward_now(Delta::from_millis(10));
//!         HrTimerRestart::Restart
//!     }
//! }
//!
//! fn start() -> Result<ArcHrTimerHandle<Ticker>> {
//!     let ticker = pin_init!(Ticker { ticks: Atomic::new(0), timer <- HrTimer::new() });
//!     let ticker = Arc::pin_init(ticker, GFP_KERNEL)?;
//!     Ok(ticker.start(Delta::from_millis(10)))
//! }
//! ```

mod callback;
mod handle;
mod mode;
mod pointers;
mod timer;

#[doc(inline)]
pub use crate::impl_has_hr_timer;
pub use callback::{HrTimerCallback, HrTimerCallbackContext, HrTimerRestart, RawHrTimerCallback};
pub use handle::{ArcHrTimerHandle, BoxHrTimerHandle, HrTimerHandle};
pub use mode::{
    AbsoluteHardMode, AbsoluteMode, AbsolutePinnedHardMode, AbsolutePinnedMode,
    AbsolutePinnedSoftMode, AbsoluteSoftMode, HrTimerExpires, HrTimerMode, RelativeHardMode,
    RelativeMode, RelativePinnedHardMode, RelativePinnedMode, RelativePinnedSoftMode,
    RelativeSoftMode,
};
pub use pointers::HrTimerPointer;
pub use timer::{HasHrTimer, HrTimer, HrTimerInstant};
