// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rules for the members of the workspace: they inherit the lints, and every test is run.
//! (That each member is in a stage of `koru test` is a unit test of `koru`.)

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::Package;
use koru_project::{assert_no_violations, members, root, shown, source_files};
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

/// Returns whether `cargo test` finds the `#[test]` functions of a file. It skips libraries
/// with `test = false`, and modules are not built for this machine.
fn is_tested(package: &Package, file: &Path) -> bool {
    let is_module = package.dependencies.iter().any(|d| d.name == "koru-kernel");
    let source = package.manifest_path.with_file_name("src");
    let libraries_and_programs = || {
        let mut targets = package.targets.iter();
        targets.any(|t| t.test && t.src_path.starts_with(&source))
    };
    !is_module && (!file.starts_with(source.as_std_path()) || libraries_and_programs())
}

#[test]
fn no_test_stands_where_nothing_runs_it() {
    let members = members();
    let mut violations = Vec::new();
    for file in source_files("rs") {
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

#[test]
fn every_guest_test_is_registered() {
    let members = members();
    let targets: Vec<&Path> = members
        .packages
        .iter()
        .flat_map(|p| &p.targets)
        .map(|t| t.src_path.as_std_path())
        .collect();
    let tests = root().join("tests");
    let folders = [tests.join("conformance"), tests.join("guest")];
    let is_test_file = |f: &PathBuf| folders.iter().any(|d| f.parent() == Some(d));
    let files = source_files("rs").into_iter().filter(is_test_file);
    let violations: Vec<String> = files
        .filter(|f| !targets.contains(&f.as_path()))
        .map(|f| shown(&f))
        .collect();
    assert_no_violations(
        "tests/Cargo.toml has no [[test]] for these files:",
        &violations,
    );
}
