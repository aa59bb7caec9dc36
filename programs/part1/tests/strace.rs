// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks the system calls of `part1` and `empty` with the real `strace`.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The five system calls that the source names.
const FIVE: [&str; 5] = ["getpid", "getppid", "getuid", "uname", "sched_yield"];

/// Builds both programs in the same way, and returns the folder that they are in.
fn build(release: bool) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "-q", "--locked", "--bin=empty", "--bin=part1"]);
    // All programs are selected, as when Koru builds them, so that dependencies have the same
    // features.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("");
    let programs = fs::read_dir(folder).expect("the programs").flatten();
    let programs = programs.filter(|program| program.path().join("Cargo.toml").is_file());
    cargo.args(programs.flat_map(|program| ["-p".into(), program.file_name()]));
    if release {
        cargo.arg("--release");
    }
    // cargo looks for its settings from this folder upwards, as it did for this test.
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = cargo.status().expect("cargo");
    assert!(status.success(), "cargo build: {status}");
    let mine = Path::new(env!("CARGO_BIN_EXE_part1"));
    let profiles = mine.parent().and_then(Path::parent).expect("a folder");
    profiles.join(if release { "release" } else { "debug" })
}

/// Returns the lines that `strace -o` writes.
fn trace(program: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trace");
    let strace = Command::new("strace")
        .arg("-o")
        .arg(&file)
        .arg(program)
        .output();
    let output = strace.expect("strace: `koru setup --tests` installs it");
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(&file).expect("what strace wrote");
    text.lines().map(str::to_owned).collect()
}

/// Returns how often each system call was made.
fn counts(lines: &[String]) -> BTreeMap<&str, i32> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts
            .entry(line.split('(').next().unwrap_or_default())
            .or_default() += 1;
    }
    counts
}

#[track_caller]
fn five_more_in(folder: &Path) {
    let (with, without) = (trace(&folder.join("part1")), trace(&folder.join("empty")));
    assert_eq!(with.len(), without.len() + 5, "{with:#?}\n{without:#?}");
    let mut difference = counts(&with);
    for (call, n) in counts(&without) {
        *difference.entry(call).or_default() -= n;
    }
    difference.retain(|_, n| *n != 0);
    assert_eq!(difference, FIVE.map(|call| (call, 1)).into_iter().collect());
}

#[test]
fn part1_makes_five_more_calls_than_empty() {
    five_more_in(&build(false));
}

/// The release build makes the programs that guests have in /bin.
#[test]
fn release_build_makes_five_more_calls() {
    five_more_in(&build(true));
}

#[test]
fn every_call_is_named_in_the_source() {
    let source = include_str!("../src/main.rs");
    for call in FIVE {
        assert!(
            source.contains(&format!(": {call} ")),
            "no comment names {call}"
        );
    }
}
