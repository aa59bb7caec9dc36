//! `my_timer`: /proc/timer.

use std::{fs, thread, time::Duration};

use koru_testing::Module;
use koru_tests::{cat, exists};

const FILE: &str = "/proc/timer";

#[test]
fn appears_and_goes_with_the_module() {
    assert!(!exists(FILE));
    let module = Module::load("my_timer", &[]).unwrap();
    assert!(exists(FILE));
    module.unload().unwrap();
    assert!(!exists(FILE));
}

#[test]
fn the_first_read_has_one_line_the_next_two() {
    let _module = Module::load("my_timer", &[]).unwrap();
    let first = cat(FILE);
    assert_eq!(first.lines().count(), 1, "{first}");
    let now = time(&first, "current time: ");
    thread::sleep(Duration::from_millis(300));
    let second = cat(FILE);
    let later = time(&second, "current time: ");
    assert_eq!(time(&second, "elapsed time: "), later - now);
    assert!(later - now >= 300_000_000);
    assert!(first.ends_with('\n') && second.ends_with('\n'));
    let _ = fs::metadata(FILE).unwrap();
}

/// The nanoseconds of `PREFIX S.NNNNNNNNN`.
fn time(text: &str, prefix: &str) -> i128 {
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(prefix))
        .unwrap_or_else(|| panic!("no `{prefix}` in {text}"));
    let (sign, digits) = match line.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, line),
    };
    let (seconds, nanos) = digits.split_once('.').expect("a dot");
    assert_eq!(nanos.len(), 9, "{line}");
    sign * (seconds.parse::<i128>().unwrap() * 1_000_000_000 + nanos.parse::<i128>().unwrap())
}
