// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules say in their Cargo.toml which kernels they support.

use std::{fs, path::Path};

use serde_json::Value;

use crate::common::{Run, kernels, koru, root};

/// A workspace of a user's own, with two modules that `koru new` made.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Workspace {
        let workspace = Workspace(tempfile::tempdir().expect("a folder"));
        let manifest = workspace.0.path().join("Cargo.toml");
        fs::write(manifest, "[workspace]\nresolver = \"2\"\nmembers = []\n").expect("writing");
        for name in ["claims1", "claims2"] {
            workspace.koru(".", &["new", name]).exits(0);
        }
        workspace
    }

    #[track_caller]
    fn koru(&self, folder: &str, arguments: &[&str]) -> Run {
        koru(arguments)
            .dir(&self.0.path().join(folder))
            .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
            .run()
    }

    /// Makes a module say which kernels it supports. Returns the number of the line.
    fn supports(&self, module: &str, kernels: &str) -> usize {
        let manifest = self.0.path().join(module).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("a Cargo.toml");
        let (text, _) = text
            .split_once("\n[package.metadata")
            .unwrap_or((&text, ""));
        let text = format!("{text}\n[package.metadata.koru]\nkernels = {kernels}\n");
        fs::write(&manifest, &text).expect("writing");
        text.lines().count()
    }
}

/// Returns the module, the kernel's version, the verdict and the number of tests of each row, by the
/// modules' names.
fn rows(run: &Run) -> Vec<(String, &'static str, Option<bool>, u64)> {
    let all = run.json();
    let version = |release: &Value| {
        let mut versions = kernels::KERNELS.iter();
        let is_it = |version: &&&str| kernels::tree(version).release == *release;
        *versions.find(is_it).expect("a kernel of set-up")
    };
    let rows = all.as_array().expect("a list").iter().map(|row| {
        let module = row["module"].as_str().expect("text").to_owned();
        let tests = row["tests"].as_u64().expect("a number");
        (module, version(&row["kernel"]), row["go"].as_bool(), tests)
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn row(
    module: &str,
    version: &'static str,
    go: Option<bool>,
    tests: u64,
) -> (String, &'static str, Option<bool>, u64) {
    (module.to_owned(), version, go, tests)
}

#[test]
fn modules_of_a_workspace_are_checked_each_for_itself() {
    let workspace = Workspace::new();
    let line = workspace.supports("claims1", "[\"6.12..\"]");
    let both = ["--kernel", "6.1", "--kernel", "6.12"];
    let run = workspace.koru(".", &[&["preflight", "--json"], &both[..]].concat());
    let expected = [
        row("claims1", "6.1", None, 0),
        row("claims1", "6.12", Some(true), 1),
        row("claims2", "6.1", Some(true), 1),
        row("claims2", "6.12", Some(true), 1),
    ];
    assert_eq!(rows(run.exits(0)), expected, "{run}");
    assert!(run.out.contains("it supports `6.12..`"), "{run}");
    // What is named is checked all the same.
    let named = ["preflight", "claims1", "--kernel", "6.1"];
    workspace
        .koru(".", &named)
        .exits(0)
        .prints("go     claims1  6.1.")
        .prints("1 test passed; its Cargo.toml says that it supports `6.12..`")
        .says("warning: claims1 does not support 6.1.")
        .says(&format!("claims1/Cargo.toml:{line}"));
    // `koru test` skips it.
    let run = workspace.koru(".", &["test"]);
    run.exits(0)
        .prints("ignored, not supported: its Cargo.toml says that it supports `6.12..`")
        .prints("3 passed, 0 failed, 1 skipped");
    // The tests of one module do not compile. That says nothing about the other.
    let test = workspace.0.path().join("claims2/tests/claims2.rs");
    fs::write(&test, "#[test]\nfn broken() { nowhere(); }\n").expect("writing");
    let run = workspace.koru(".", &["preflight", "--json", "--kernel", "6.12"]);
    let expected = [
        row("claims1", "6.12", Some(true), 1),
        row("claims2", "6.12", Some(false), 0),
    ];
    assert_eq!(rows(run.exits(1)), expected, "{run}");
    let all = run.json();
    let mut all = all.as_array().expect("a list").iter();
    let broken = all.find(|row| row["module"] == "claims2").expect("it");
    assert_eq!(broken["failed"], "tests", "{run}");
    let output = broken["error"]["output"].as_str().expect("rustc's words");
    assert!(
        output.contains("cannot find function `nowhere`"),
        "{output}"
    );
}

#[test]
fn kernels_that_no_module_supports_are_an_error() {
    let workspace = Workspace::new();
    for module in ["claims1", "claims2"] {
        workspace.supports(module, "[\"..=5.10\"]");
    }
    workspace
        .koru(".", &["test"])
        .exits(2)
        .says("claims1 supports `..=5.10`")
        .says("koru test --kernel RELEASE");
    workspace
        .koru(".", &["preflight", "--kernel", "6.1"])
        .exits(2)
        .prints("skip   claims1  6.1.")
        .prints("not supported: its Cargo.toml says that it supports `..=5.10`")
        .says("koru preflight MODULE");
    let line = workspace.supports("claims1", "[\n  \"6.1\",\n  \"5.10-7.3\",\n]");
    let manifest = Path::new("claims1/Cargo.toml");
    workspace
        .koru(".", &["build", "claims2"])
        .exits(2)
        .says(&format!("{}:{}", manifest.display(), line - 1))
        .says("write \"5.10..=7.3\"");
}
