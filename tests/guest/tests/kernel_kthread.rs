// SPDX-License-Identifier: MIT OR Apache-2.0

//! Kernel threads, on the module `kt_kthread`.

use std::{collections::BTreeSet, fs};

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{Errno, errno};

/// The names of the module's threads.
fn threads() -> BTreeSet<String> {
    let processes = fs::read_dir("/proc").unwrap();
    processes
        .filter_map(|p| fs::read_to_string(p.unwrap().path().join("comm")).ok())
        .map(|name| name.trim_end().to_owned())
        .filter(|name| name.starts_with("kt_"))
        .collect()
}

#[test]
fn threads_live_as_long_as_their_owner() {
    let log = Log::from_now();
    let module = Module::load("kt_kthread", &[]).unwrap();
    assert_eq!(log.messages("kt_kthread: "), ["all is right"]);
    // One has ended by itself; its result is still there.
    assert_eq!(
        threads(),
        BTreeSet::from(["kt_sleeper", "kt_waiter"].map(str::to_owned))
    );
    let log = Log::from_now();
    module.unload().unwrap();
    assert_eq!(threads(), BTreeSet::new());
    assert_eq!(
        log.messages("kt_kthread: "),
        [
            "the owner has the result",
            "the result is dropped",
            "the sleeper is dropped",
            "the waiter is dropped"
        ]
    );
}

#[test]
fn stopping_at_any_moment() {
    drop(Module::load("kt_kthread", &["rounds=2000"]).unwrap());
    assert_eq!(threads(), BTreeSet::new());
}

#[test]
fn a_load_that_fails_stops_them() {
    let log = Log::from_now();
    assert_eq!(
        errno(Module::load("kt_kthread", &["refuse=1"])),
        Errno::EBUSY
    );
    assert!(!is_loaded("kt_kthread"));
    assert_eq!(threads(), BTreeSet::new());
    let said = BTreeSet::from_iter(log.messages("kt_kthread: "));
    let dropped = ["result", "sleeper", "waiter"].map(|n| format!("the {n} is dropped"));
    assert_eq!(said, BTreeSet::from(dropped));
}
