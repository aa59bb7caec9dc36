// SPDX-License-Identifier: GPL-2.0-only

//! Waiting.
//!
//! C header: `include/linux/delay.h`

use super::Delta;
use crate::bindings;

/// The longest that is waited in one go: a longer span is a mistake.
const MAX: Delta = Delta::from_secs(3600);

fn micros(delta: Delta) -> usize {
    let delta = delta.clamp(Delta::ZERO, MAX);
    usize::try_from(delta.as_micros_ceil()).unwrap_or(0)
}

/// Sleeps at least `delta`, by whatever means suits the length; a negative span is
/// none. No signal ends it, so a span of more than an hour is taken for a mistake,
/// and ends after one. A thread that waits for longer, or shall be stopped meanwhile,
/// uses [`KThread`](crate::kthread::KThread)'s `sleep`, which has no such limit.
///
/// Context: process. It sleeps.
///
/// # Examples
///
/// ```
/// use kernel::time::{delay::fsleep, Delta};
/// fsleep(Delta::from_millis(20));
/// ```
pub fn fsleep(delta: Delta) {
    // SAFETY: `fsleep` takes any number of microseconds. That it sleeps is in the
    // contract of this function; from atomic context it is the caller's mistake, which
    // the scheduler reports, and memory stays valid.
    unsafe { bindings::koru_fsleep(micros(delta)) }
}

/// Keeps the CPU busy for `delta`, in every context. For microseconds: at most a
/// millisecond is waited.
///
/// By what the kernel took the CPU's speed for when it booted, so it may be over early:
/// in an emulator that booted on a busy host, far too early.
///
/// Context: any. It keeps the processor busy meanwhile.
///
/// # Examples
///
/// ```
/// use kernel::time::{delay::udelay, Delta};
/// udelay(Delta::from_micros(10));
/// ```
pub fn udelay(delta: Delta) {
    // SAFETY: `udelay()` takes any number of microseconds, touches no memory, and may be used
    // in every context.
    unsafe { bindings::koru_udelay(micros(delta.min(Delta::from_millis(1)))) }
}
