// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru fuzz`: what it finds in a planted module, shrinks and replays. What coverage is good for
//! is in `debug_kernel.rs`.

use std::fs;

use crate::common::{koru, line_of};

const CALLS: &str = "tests/planted/calls";

#[test]
fn unchecked_length_is_found_shrunk_and_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("kept.calls");
    let kept = kept.to_str().expect("a text");
    let arguments = ["--kernel", "6.12", "-p", "fault=length"];
    let limits = ["--seed", "1", "--calls", "20000", "--keep", kept];
    let run = koru(["fuzz", CALLS].iter().chain(&arguments).chain(&limits)).run();
    let line = line_of(&format!("{CALLS}/calls.c"), "if (copy_from_user(buffer");
    run.exits(1)
        .says("Kernel memory overwrite attempt detected to SLUB object 'kmalloc-64'")
        .says(&format!("calls.c:{line}"))
        .says("again: koru run tests/planted/calls --kernel 6.12")
        .says("something was found in ");
    let script = fs::read_to_string(kept).expect("the calls");
    let lines: Vec<&str> = script.lines().collect();
    // An open and a write are all that is needed.
    assert_eq!(lines.len(), 2, "{script}");
    assert!(lines[0].starts_with("open f"), "{script}");
    let replay = [
        "--harsh",
        "--file",
        kept,
        "--",
        "ioshell",
        "--calls",
        "kept.calls",
    ];
    let run = koru(["run", CALLS].iter().chain(&arguments).chain(&replay)).run();
    run.exits(1)
        .says("Kernel memory overwrite attempt detected");
}

#[test]
fn module_without_a_fault_is_none_and_the_result_is_json() {
    let arguments = ["fuzz", CALLS, "--kernel", "6.12", "--seed", "1"];
    let run = koru(arguments.iter().chain(&["--calls", "3000", "--json"])).run();
    let report = run.exits(0).json();
    assert_eq!(report["found"].as_array().map(Vec::len), Some(0), "{run}");
    assert_eq!(report["module"], CALLS);
    assert_eq!(report["guided"], false);
    assert!(report["calls"].as_u64() >= Some(3000), "{run}");
}

#[test]
fn module_without_files_cannot_be_fuzzed() {
    let run = koru(["fuzz", "hello", "--kernel", "6.12"]).run();
    run.exits(2)
        .says("hello makes no file in /proc, /dev or debugfs");
}
