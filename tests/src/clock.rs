// SPDX-License-Identifier: MIT OR Apache-2.0

//! The time of day, which a test may set.

use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};

const SECOND: i128 = 1_000_000_000;

fn now(clock: ClockId) -> i128 {
    let t = clock_gettime(clock);
    i128::from(t.tv_sec) * SECOND + i128::from(t.tv_nsec)
}

/// The right to set the time of day, in nanoseconds.
///
/// Dropping it sets the clock to what it would have shown.
pub struct RealTime {
    /// The real time minus the monotonic time.
    offset: i128,
}

impl RealTime {
    pub fn take() -> RealTime {
        RealTime {
            offset: now(ClockId::Realtime) - now(ClockId::Monotonic),
        }
    }

    pub fn set(&self, nanos: i128) {
        let time = Timespec {
            tv_sec: i64::try_from(nanos.div_euclid(SECOND)).expect("a possible time"),
            tv_nsec: i64::try_from(nanos.rem_euclid(SECOND)).expect("less than a second"),
        };
        clock_settime(ClockId::Realtime, time).expect("setting the clock");
    }
}

impl Drop for RealTime {
    fn drop(&mut self) {
        self.set(now(ClockId::Monotonic) + self.offset);
    }
}
