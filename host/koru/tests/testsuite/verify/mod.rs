// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru verify` on modules that keep a contract and on such as break it, each in
//! one known way.

mod buffers;
mod requests;
mod timers;
mod whole;

use std::{collections::BTreeMap, fs};

use crate::common::{self, KERNELS, Run, koru, root};

/// What became of each test, by its name.
type Results = BTreeMap<String, String>;

#[track_caller]
fn results(run: &Run) -> Results {
    let report = run.json();
    let row = |row: &serde_json::Value| {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        assert!(
            !text("requirement").is_empty(),
            "a requirement in words: {row}"
        );
        if row["result"] != "pass" {
            assert!(!text("seen").is_empty(), "what was seen: {row}");
        }
        (text("test"), text("result"))
    };
    let rows = report["requirements"].as_array();
    rows.expect("a list").iter().map(row).collect()
}

/// Returns the kernel to judge a folder on. The kernels differ in nothing that the promises are
/// about, and the contracts' own tests run on each, so it is one kernel for each folder.
fn kernel_for(folder: &str) -> &'static str {
    KERNELS[folder.len() % KERNELS.len()]
}

/// Judges a folder by a contract. `fails` and `crashes` are exactly the tests that find it
/// wrong; those in `races` may or may not.
#[track_caller]
fn judge(contract: &str, folder: &str, fails: &[&str], crashes: &[&str], races: &[&str]) {
    let kernel = kernel_for(folder);
    let run = koru([
        "verify", contract, "--src", folder, "--kernel", kernel, "--json",
    ])
    .run();
    let results = results(&run);
    for test in [fails, crashes, races].concat() {
        assert!(results.contains_key(test), "no test `{test}'\n{run}");
    }
    for (test, result) in &results {
        let test = test.as_str();
        let wanted = match () {
            () if races.contains(&test) => continue,
            () if crashes.contains(&test) => "crash",
            () if fails.contains(&test) => "fail",
            () => "pass",
        };
        assert_eq!(result, wanted, "{folder} on {kernel}: {test}\n{run}");
    }
    let good = results.values().all(|r| r == "pass");
    run.exits(i32::from(!good));
}

/// A copy of a module's folder with other words in its source.
#[track_caller]
fn changed(of: &str, words: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(root().join(of)).expect("a folder") {
        let entry = entry.expect("a file");
        let mut text = fs::read_to_string(entry.path()).expect("text");
        if entry.path().extension().is_some_and(|e| e == "c") {
            for (old, new) in words {
                assert!(text.contains(old), "{of}: no `{old}'");
                text = text.replace(old, new);
            }
        }
        fs::write(dir.path().join(entry.file_name()), text).expect("a copy");
    }
    dir
}

/// What several tests of a broken module find, when it is a part of them only.
#[track_caller]
fn judge_some(contract: &str, folder: &str, words: &[&str], wanted: &[(&str, &str)]) {
    let kernel = kernel_for(folder);
    let args = [
        "verify", contract, "--src", folder, "--kernel", kernel, "--json",
    ];
    let run = koru(args.iter().chain(words)).run();
    let results = results(&run);
    let seen: Vec<(&str, &str)> = results.iter().map(|(t, r)| (&**t, &**r)).collect();
    assert_eq!(seen, wanted, "{folder} on {kernel}\n{run}");
    run.exits(1);
}
