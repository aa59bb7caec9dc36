// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rules for the members of the workspace: they inherit the lints, and every test is run.
//! (That each member is in a stage of `koru test` is a unit test of `koru`.)

use std::{fs, path::Path};

use cargo_metadata::Package;
use koru_project::{assert_no_violations, members, shown, source_files};
use toml::Table;

#[test]
fn every_member_inherits_the_lints() {
    let mut violations = Vec::new();
    for package in &members().packages {
        let text = fs::read_to_string(&package.manifest_path).expect("a manifest");
        let manifest: Table = text.parse().expect("cargo has read it");
        let inherits = |lints: &toml::Value| lints.get("workspace")?.as_bool();
        if manifest.get("lints").and_then(inherits) != Some(true) {
            violations.push(package.manifest_path.to_string());
        }
    }
    assert_no_violations(
        "These manifests lack `[lints] workspace = true`:",
        &violations,
    );
}

/// Returns whether `cargo test` runs the `#[test]` functions of a file. It skips libraries
/// with `test = false`, and modules are not built for this machine.
fn is_tested(package: &Package, file: &Path) -> bool {
    let is_module = package.dependencies.iter().any(|d| d.name == "koru-kernel");
    let source = package.manifest_path.with_file_name("src");
    let mut targets = package.targets.iter().filter(|t| t.test);
    let runs = if file.starts_with(&source) {
        targets.any(|t| t.src_path.starts_with(&source))
    } else {
        targets.any(|t| is_file_of(file, t.src_path.as_std_path()))
    };
    !is_module && runs
}

/// Returns whether a file can belong to the target with this root file: it is that file, or in
/// the folder of its modules.
fn is_file_of(file: &Path, root: &Path) -> bool {
    let folder = match root.parent() {
        Some(folder) if root.ends_with("main.rs") => folder.to_owned(),
        _ => root.with_extension(""),
    };
    file == root || file.starts_with(folder)
}

#[test]
fn no_test_stands_where_nothing_runs_it() {
    let members = members();
    let mut violations = Vec::new();
    for file in source_files("rs") {
        // What `koru new` writes is run where it was written.
        if file.components().any(|c| c.as_os_str() == "templates") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        if !text.lines().any(|line| line.trim() == "#[test]") {
            continue;
        }
        let around = |p: &&Package| file.starts_with(p.manifest_path.with_file_name(""));
        let depth = |p: &&Package| p.manifest_path.components().count();
        let package = members.packages.iter().filter(around).max_by_key(depth);
        if package.is_none_or(|p| !is_tested(p, &file)) {
            violations.push(shown(&file));
        }
    }
    assert_no_violations("No command runs the tests in these files:", &violations);
}
