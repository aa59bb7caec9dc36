// SPDX-License-Identifier: MIT OR Apache-2.0

//! `hello`: the smallest module.

use std::{fs, sync::LazyLock};

use koru_testing::{Log, LogRecord, Module, is_loaded};
use koru_tests::{Contract, Errno, contract, exists, expect_eq, expect_errno};

koru_testing::test_file!(one_cpu);

static CONTRACT: LazyLock<Contract> = contract!("hello");

/// What the module has said, in order.
fn said(log: &Log) -> Vec<LogRecord> {
    let ours = ["messages.loaded", "messages.unloaded"].map(|key| CONTRACT.text(key));
    let mut records = log.records();
    records.retain(|r| ours.iter().any(|text| r.text.contains(text)));
    records
}

fn texts(records: &[LogRecord]) -> Vec<&str> {
    let ours = ["messages.loaded", "messages.unloaded"].map(|key| CONTRACT.text(key));
    let of = |r: &LogRecord| ours.into_iter().find(|text| r.text.ends_with(text));
    records.iter().map(|r| of(r).unwrap_or("")).collect()
}

/// Loading it logs one message, unloading it another.
#[test]
fn says_hello_and_goodbye() {
    let log = Log::from_now();
    let [hello, goodbye] = ["messages.loaded", "messages.unloaded"].map(|key| CONTRACT.text(key));
    let module = CONTRACT.load();
    expect_eq("the log after insmod", texts(&said(&log)), [hello]);
    let name = module.name().to_owned();
    expect_eq(
        "/sys/module has it while it is loaded",
        is_loaded(&name),
        true,
    );
    module.unload().expect("rmmod");
    expect_eq("the log after rmmod", texts(&said(&log)), [hello, goodbye]);
    expect_eq("/sys/module has it after rmmod", is_loaded(&name), false);
}

/// A message is one record at level info, and ends where the text ends.
#[test]
fn one_record_at_the_right_level() {
    let log = Log::from_now();
    drop(CONTRACT.load());
    let records = said(&log);
    expect_eq("records in the log", records.len(), 2);
    for record in records {
        expect_eq("the level of a message", record.level, 6);
        expect_eq("lines in a record", record.text.lines().count(), 1);
    }
}

/// A second insmod while it is loaded is refused, and changes nothing.
#[test]
fn loading_twice_is_eexist() {
    let module = CONTRACT.load();
    expect_errno(
        "insmod of a loaded module",
        Module::load("hello", &[]),
        Errno::EEXIST,
    );
    expect_eq("it is still loaded", is_loaded(module.name()), true);
}

/// It can be loaded and unloaded a hundred times.
#[test]
fn loads_and_unloads_many_times() {
    for _ in 0..100 {
        CONTRACT.load().unload().expect("rmmod");
    }
}

/// The kernel is tainted by nothing but a module from elsewhere (O), unsigned (E).
#[test]
fn taints_as_out_of_tree_and_unsigned_only() {
    let module = CONTRACT.load();
    let path = format!("/sys/module/{}/taint", module.name());
    let taint = fs::read_to_string(path).expect("taint in /sys");
    // A kernel that knows no signatures misses none.
    let signatures = exists("/sys/module/module/parameters/sig_enforce");
    expect_eq("taint", taint.trim(), if signatures { "OE" } else { "O" });
}

/// `modinfo` shows license, author, description and version.
#[test]
fn modinfo_tells_who_and_what() {
    // modinfo itself prints the strings of this section, `key=value` each.
    let ko = fs::read(Module::path("hello")).expect("the module file");
    let has = |wanted: &[u8]| ko.windows(wanted.len()).any(|s| s == wanted);
    for field in [
        "license=GPL",
        "author=",
        "description=",
        "version=",
        "vermagic=",
    ] {
        expect_eq(&format!("modinfo has {field}"), has(field.as_bytes()), true);
    }
}
