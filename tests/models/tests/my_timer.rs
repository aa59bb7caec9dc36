// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests `my_timer` under every order of its readers.

#[allow(
    unused_attributes,
    dead_code,
    reason = "it is a crate's file, of which this uses a part"
)]
#[path = "../../../modules/my_timer/src/lib.rs"]
mod my_timer;

use kernel::model::{every_order, open, process};

/// Returns the current time and the elapsed time, in half seconds.
fn reading(room: usize) -> (i64, Option<i64>) {
    let text = open(c"timer").expect("open").read_all(room);
    let text = String::from_utf8(text).expect("text");
    let mut lines = text.lines();
    let mut number = |name: &str| {
        let line = lines.next()?.strip_prefix(name)?;
        let (seconds, nanos) = line.split_once('.')?;
        let half = nanos.parse::<i64>().ok()? / 500_000_000;
        Some(seconds.parse::<i64>().ok()? * 2 + half)
    };
    (
        number("current time: ").expect("a time"),
        number("elapsed time: "),
    )
}

/// Ordered by time, each reading says how much time has elapsed since the one before it.
#[test]
fn readers_at_once_make_one_chain() {
    every_order(Some(3), || {
        let module = my_timer::load().expect("it loads");
        let others = [(1, 100), (2, 40)].map(|(n, room)| process(n, move || reading(room)));
        let mut readings = vec![reading(100)];
        readings.extend(others.map(|o| o.join().unwrap()));
        readings.push(reading(100));
        readings.sort();
        assert_eq!(readings[0].1, None, "the first one: {readings:?}");
        for two in readings.windows(2) {
            assert_eq!(two[1].1, Some(two[1].0 - two[0].0), "{readings:?}");
        }
        drop(module);
    });
}
