// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the members of the workspace say in their Cargo.toml, and that no test is left
//! out. (Which stage of `koru test` runs a member is a test of koru's own `checks.rs`.)

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::Package;
use koru_project::{members, none_wrong, root, shown, source_files};
use toml::Table;

#[test]
fn every_member_inherits_the_lints() {
    let mut wrong = Vec::new();
    for package in &members().packages {
        let text = fs::read_to_string(&package.manifest_path).expect("a manifest");
        let manifest: Table = text.parse().expect("cargo has read it");
        let inherits = |lints: &toml::Value| lints.get("workspace")?.as_bool();
        if manifest.get("lints").and_then(inherits) != Some(true) {
            wrong.push(package.manifest_path.to_string());
        }
    }
    none_wrong("These do not say `[lints] workspace = true`:", &wrong);
}

/// Whether cargo would run the `#[test]` functions of a file, could it run the package.
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
    let mut wrong = Vec::new();
    for file in source_files("rs") {
        let text = fs::read_to_string(&file).expect("a source file");
        if !text.lines().any(|line| line.trim() == "#[test]") {
            continue;
        }
        let around = |p: &&Package| file.starts_with(p.manifest_path.with_file_name(""));
        let depth = |p: &&Package| p.manifest_path.components().count();
        let package = members.packages.iter().filter(around).max_by_key(depth);
        if package.is_none_or(|p| !is_tested(p, &file)) {
            wrong.push(shown(&file));
        }
    }
    none_wrong("These have tests that no command runs:", &wrong);
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
    let wrong: Vec<String> = files
        .filter(|f| !targets.contains(&f.as_path()))
        .map(|f| shown(&f))
        .collect();
    none_wrong("These are no [[test]] of tests/Cargo.toml:", &wrong);
}
