// SPDX-License-Identifier: MIT OR Apache-2.0

//! `simple`: the kernel's own numbers, in the log.

use std::sync::LazyLock;

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{
    Contract, Errno, contract, expect_eq, expect_errno, expect_modinfo, expect_ok,
    fail_requirement, ticks, ticks_per_second, wait_ticks,
};

koru_testing::test_file!(one_cpu);

static CONTRACT: LazyLock<Contract> = contract!("simple");

const GOLDEN_RATIO_PRIME: u64 = 0x61c8_8646_80b5_83eb;

/// The records that say this, from the text on.
fn all(log: &Log, key: &str) -> Vec<String> {
    let text = CONTRACT.text(&format!("messages.{key}"));
    let records = log.records().into_iter();
    let from = |r: koru_testing::LogRecord| r.text.find(text).map(|at| r.text[at..].to_owned());
    records.filter_map(from).collect()
}

/// The number in the only record that says this.
#[track_caller]
fn number(log: &Log, when: &str, key: &str) -> u64 {
    let text = CONTRACT.text(&format!("messages.{key}"));
    let said = all(log, key);
    let done = format!("the log {when}");
    let promised = format!("one record with \"{text}\" and a number");
    let [said] = &said[..] else {
        fail_requirement(&done, &promised, &format!("{said:?}"));
    };
    let rest = &said[text.len()..];
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
    match digits.unwrap_or("").parse() {
        Ok(number) => number,
        Err(_) => fail_requirement(&done, &promised, &format!("{said:?}")),
    }
}

#[track_caller]
fn between(done: &str, from: u64, seen: u64, to: u64) {
    if !(from..=to).contains(&seen) {
        fail_requirement(done, &format!("{from} to {to}"), &seen.to_string());
    }
}

/// Loading it logs GOLDEN_RATIO_PRIME and HZ, as the kernel has them.
#[test]
fn the_kernels_constants() {
    let log = Log::from_now();
    let _module = CONTRACT.load();
    let prime = number(&log, "after insmod", "prime");
    expect_eq("GOLDEN_RATIO_PRIME", prime, GOLDEN_RATIO_PRIME);
    let hz = number(&log, "after insmod", "hz");
    expect_eq("HZ", hz, ticks_per_second());
}

/// Loading it logs the jiffies of that moment.
#[test]
fn the_jiffies_of_loading() {
    let log = Log::from_now();
    let before = ticks();
    let _module = CONTRACT.load();
    let seen = number(&log, "after insmod", "jiffies");
    between("jiffies", before, seen, ticks());
}

/// Unloading it logs the greatest common divisor of 3300 and 24, which is 12.
#[test]
fn the_greatest_common_divisor() {
    let module = CONTRACT.load();
    let log = Log::from_now();
    expect_ok("rmmod", module.unload());
    expect_eq("gcd(3300, 24)", number(&log, "after rmmod", "gcd"), 12);
}

/// Unloading it logs the jiffies of that moment.
#[test]
fn the_jiffies_of_unloading() {
    let module = CONTRACT.load();
    wait_ticks(10);
    let log = Log::from_now();
    let before = ticks();
    expect_ok("rmmod", module.unload());
    let seen = number(&log, "after rmmod", "jiffies");
    between("jiffies", before, seen, ticks());
}

/// Unloading it logs for how many jiffies it was loaded: the difference of the two.
#[test]
fn for_how_long_it_was_loaded() {
    for wait in [1, 50, 300] {
        let log = Log::from_now();
        let module = CONTRACT.load();
        let loaded = number(&log, "after insmod", "jiffies");
        wait_ticks(wait);
        let log = Log::from_now();
        expect_ok("rmmod", module.unload());
        let unloaded = number(&log, "after rmmod", "jiffies");
        let seen = number(&log, "after rmmod", "loaded_for");
        expect_eq("for how many jiffies", seen, unloaded - loaded);
    }
}

/// What belongs to the load is not said again at the unload, nor the other way
/// round.
#[test]
fn each_at_its_time() {
    let log = Log::from_now();
    let module = CONTRACT.load();
    for key in ["gcd", "loaded_for"] {
        expect_eq(&format!("`{key}` after insmod"), all(&log, key).len(), 0);
    }
    let log = Log::from_now();
    expect_ok("rmmod", module.unload());
    for key in ["prime", "hz"] {
        expect_eq(&format!("`{key}` after rmmod"), all(&log, key).len(), 0);
    }
}

/// Each message is one record of one line, at level info.
#[test]
fn whole_records() {
    let log = Log::from_now();
    drop(CONTRACT.load());
    let keys = ["prime", "hz", "jiffies", "gcd", "loaded_for"];
    let texts = keys.map(|key| CONTRACT.text(&format!("messages.{key}")));
    for record in log.records() {
        if texts.iter().any(|text| record.text.contains(text)) {
            expect_eq("lines in a record", record.text.lines().count(), 1);
            expect_eq("the level of a message", record.level, 6);
        }
    }
}

/// A second insmod while it is loaded is refused.
#[test]
fn loading_twice() {
    let module = CONTRACT.load();
    let second = Module::load("simple", &[]);
    expect_errno("insmod of a loaded module", second, Errno::EEXIST);
    expect_eq("it is still loaded", is_loaded(module.name()), true);
}

/// `modinfo` shows license, author, description and version.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo("simple", &[]);
}
