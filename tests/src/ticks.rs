// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel's jiffies and HZ, as user space can read them.

use std::{fs, thread, time::Duration};

use rustix::time::{ClockId, clock_getres};

/// Returns the current jiffies, from /proc/timer_list.
pub fn ticks() -> u64 {
    let list = fs::read_to_string("/proc/timer_list").expect("/proc/timer_list");
    let mut lines = list.lines();
    let number = lines.find_map(|l| l.trim().strip_prefix("jiffies: "));
    let number = number.expect("jiffies in /proc/timer_list");
    number.parse().expect("a number")
}

/// Returns the number of jiffies in a second: one is the coarse clocks' resolution.
pub fn ticks_per_second() -> u64 {
    let step = clock_getres(ClockId::MonotonicCoarse);
    1_000_000_000 / u64::try_from(step.tv_nsec).expect("a step of less than a second")
}

/// Waits until `more` jiffies have passed.
pub fn wait_ticks(more: u64) {
    let end = ticks() + more;
    while ticks() < end {
        thread::sleep(Duration::from_millis(1));
    }
}
