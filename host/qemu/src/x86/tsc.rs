// SPDX-License-Identifier: MIT OR Apache-2.0

//! Measures the frequency of this machine's time-stamp counter, which is the counter that a
//! guest under TCG reads.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// Returns whether the counter is a clock: whether it counts at one rate, whatever the
/// processor does, and is equal on all processors.
pub fn is_clock() -> bool {
    const SOURCES: &str = "/sys/devices/system/clocksource/clocksource0/available_clocksource";
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let has = |line: &str, word: &str| line.split_whitespace().any(|w| w == word);
    let info = read("/proc/cpuinfo");
    let flags = info.lines().find(|line| line.starts_with("flags"));
    let steady = |line| has(line, "constant_tsc") && has(line, "nonstop_tsc");
    // The kernel removes the counter from this list when it finds that processors differ.
    flags.is_some_and(steady) && has(&read(SOURCES), "tsc")
}

/// Returns the counter's ticks per millisecond, or `None` where the counter is not a clock.
///
/// A guest's kernel would measure this with timers that QEMU emulates, and is wrong when the
/// host is busy (by a thousandth, as was seen), and with it all delays of the kernel.
pub fn khz() -> Option<u64> {
    /// The length of the measurement. With readings that are 0.1 us off, its error is one in a
    /// hundred thousand.
    const LENGTH: Duration = Duration::from_millis(20);
    if !is_clock() {
        return None;
    }
    let begin = reading();
    thread::sleep(LENGTH);
    let end = reading();
    let nanos = end.0.duration_since(begin.0).as_nanos();
    let ticks = u128::from(end.1.checked_sub(begin.1)?);
    u64::try_from(ticks * 1_000_000 / nanos).ok()
}

/// Reads the clock and the counter at the same moment: of some tries, the one that took the
/// least time.
fn reading() -> (Instant, u64) {
    let tries = (0..16).map(|_| {
        let before = Instant::now();
        // (The crate's `start` changes a register that it does not declare.)
        let count = tick_counter::x86_64_tick_counter();
        let took = before.elapsed();
        (took, before + took / 2, count)
    });
    let (_, at, count) = tries.min_by_key(|t| t.0).expect("there are some");
    (at, count)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_counts_as_fast_each_time() {
        let Some(first) = super::khz() else {
            return; // This machine's counter is not a clock.
        };
        assert!((100_000..100_000_000).contains(&first), "{first} kHz");
        let again = super::khz().expect("as before");
        assert!(
            first.abs_diff(again) < first / 500,
            "{first} and {again} kHz"
        );
    }
}
