// SPDX-License-Identifier: MIT OR Apache-2.0

//! Time, on the module `kt_time`.

use koru_testing::{Log, Module};
use koru_tests::RealTime;
use rustix::time::{ClockId, DynamicClockId, clock_gettime_dynamic};

const MONOTONIC: DynamicClockId<'_> = DynamicClockId::Known(ClockId::Monotonic);
const REALTIME: DynamicClockId<'_> = DynamicClockId::Known(ClockId::Realtime);

fn now(clock: DynamicClockId<'_>) -> i128 {
    let t = clock_gettime_dynamic(clock).expect("the kernel has this clock");
    i128::from(t.tv_sec) * 1_000_000_000 + i128::from(t.tv_nsec)
}

/// The numbers that the module printed after `name`.
#[track_caller]
fn said(log: &Log, name: &str) -> Vec<i128> {
    let messages = log.messages("kt_time: ");
    let line = messages.iter().find_map(|m| m.strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("no {name}: {messages:?}"));
    line.split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect()
}

fn load(params: &[&str]) -> Log {
    let log = Log::from_now();
    let loaded = Module::load("kt_time", params);
    let messages = log.messages("kt_time: ");
    drop(loaded.unwrap_or_else(|e| panic!("{e}: {messages:?}")));
    assert!(
        messages.contains(&"arithmetic is right".to_owned()),
        "{messages:?}"
    );
    log
}

#[test]
fn arithmetic() {
    load(&[]);
}

#[test]
fn the_clocks_are_those_of_user_space() {
    for (clock, name) in [
        (MONOTONIC, "monotonic"),
        (REALTIME, "real"),
        (DynamicClockId::Boottime, "boot"),
        (DynamicClockId::Tai, "tai"),
    ] {
        let before = now(clock);
        let log = load(&[]);
        let after = now(clock);
        let kernel = said(&log, name)[0];
        assert!(
            (before..=after).contains(&kernel),
            "{name}: {before} {kernel} {after}"
        );
    }
}

#[test]
fn a_set_clock_moves_the_time_of_day_only() {
    let clock = RealTime::take();
    let before = now(MONOTONIC);
    let real = now(REALTIME) + 10_000_000_000_000;
    clock.set(real);
    let log = load(&[]);
    let passed = now(MONOTONIC) - before;
    assert!((real..=real + passed).contains(&said(&log, "real")[0]));
    assert!((before..=before + passed).contains(&said(&log, "monotonic")[0]));
}

#[test]
fn ticks_start_before_the_wrap_of_32_bits() {
    let log = load(&[]);
    let [ticks, hz] = said(&log, "ticks")[..] else {
        panic!("two numbers")
    };
    assert!([100, 250, 300, 1000].contains(&hz), "{hz}");
    let start = (1i128 << 32) - 300 * hz;
    let uptime = (ticks - start) * 1_000_000_000 / hz;
    // Within a minute: ticks are not counted as exactly as the clock.
    let off = uptime - now(MONOTONIC);
    assert!(off.abs() < 60_000_000_000, "{ticks} {off}");
}

/// How long it waited for so many microseconds, in nanoseconds.
fn waited(parameter: &str, micros: i64) -> i128 {
    let log = load(&[&format!("{parameter}={micros}")]);
    said(&log, "waited")[0]
}

#[test]
fn sleeping_is_never_shorter() {
    for micros in [1, 100, 30_000] {
        let waited = waited("sleep_us", micros);
        assert!(waited >= i128::from(micros) * 1000, "{micros}: {waited}");
    }
    // What is no time is soon over.
    assert!(waited("sleep_us", -5) < 60_000_000_000);
}

/// How long that is depends on what the kernel took the processor's speed for, which
/// can be anything in an emulator. But it is soon over, for what is absurd, too.
#[test]
fn busy_waiting_ends() {
    for micros in [-5, 0, 1, 500, 1000, i64::MAX] {
        assert!(waited("busy_us", micros) < 60_000_000_000, "{micros}");
    }
}
