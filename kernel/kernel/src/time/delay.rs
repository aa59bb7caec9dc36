// SPDX-License-Identifier: GPL-2.0-only

//! Delays: sleeping and busy waiting.
//!
//! C header: `include/linux/delay.h`

use super::Delta;
use crate::bindings;

/// The longest delay; a longer one is taken for a bug.
const MAX: Delta = Delta::from_secs(3600);

fn micros(delta: Delta) -> usize {
    let delta = delta.clamp(Delta::ZERO, MAX);
    usize::try_from(delta.as_micros_ceil()).unwrap_or(0)
}

/// Sleeps for at least `delta`, by the means that suit its length.
///
/// A negative duration is treated as 0. No signal ends the sleep, so a duration of more than an
/// hour is taken for a bug, and the sleep ends after one hour. A thread that sleeps longer, or must
/// be stopped meanwhile, uses [`CurrentKThread::sleep`](crate::kthread::CurrentKThread::sleep),
/// which has no such limit.
///
/// Context: process context; it sleeps.
///
/// # Examples
///
/// ```
/// use kernel::time::{delay::fsleep, Delta};
/// fsleep(Delta::from_millis(20));
/// ```
pub fn fsleep(delta: Delta) {
    // SAFETY: `fsleep()` takes any number of microseconds. It sleeps, as this function's
    // documentation says; a call in atomic context is a bug of the caller, which the scheduler
    // reports, and memory stays valid.
    unsafe { bindings::koru_fsleep(micros(delta)) }
}

/// Keeps the CPU busy for `delta`, at most a millisecond.
///
/// The delay relies on the CPU's speed as the kernel measured it at boot, so it may be too short:
/// in an emulator that booted on a busy host, by far.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// use kernel::time::{delay::udelay, Delta};
/// udelay(Delta::from_micros(10));
/// ```
pub fn udelay(delta: Delta) {
    // SAFETY: `udelay()` takes any number of microseconds, accesses no memory, and may be called in
    // any context.
    unsafe { bindings::koru_udelay(micros(delta.min(Delta::from_millis(1)))) }
}
