// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks that every build of the workspace compiles its dependencies with the same features, so
//! that each is compiled once. `host/features` names those features.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

use koru_project::{assert_no_violations, members, root};
use serde_json::Value;

/// Returns the packages that are built together: those of the program, and those whose tests a
/// stage of `koru dev test` runs.
fn builds() -> BTreeMap<String, Vec<String>> {
    let members = members();
    let mut builds = BTreeMap::new();
    builds.insert(
        "the program".to_owned(),
        vec!["koru".to_owned(), "koru-agent".to_owned()],
    );
    for package in members.workspace_default_packages() {
        let koru = &package.metadata["koru"];
        let stage = match koru["stage"].as_str() {
            Some(stage) => stage,
            None if koru["guest"] == true => "guest",
            None => "unit",
        };
        let packages = builds.entry(format!("the stage `{stage}`")).or_default();
        packages.push(package.name.to_string());
    }
    builds
}

/// Asks cargo with which features it would compile each crate from elsewhere. Crates for
/// procedural macros are others than those for programs.
fn features(packages: &[String]) -> BTreeSet<(String, Vec<String>)> {
    let cargo = Command::new(env::var_os("CARGO").expect("cargo runs this"))
        .args(["test", "--locked", "--profile=program", "--unit-graph"])
        .arg("-Zunstable-options")
        .args(packages.iter().flat_map(|package| ["-p", package]))
        .current_dir(root())
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .expect("cargo");
    let said = String::from_utf8_lossy(&cargo.stderr);
    assert!(cargo.status.success(), "{said}");
    let graph: Value = serde_json::from_slice(&cargo.stdout).expect("a graph");
    let units = graph["units"].as_array().expect("units").iter();
    let compiled = units.filter(|unit| unit["target"]["kind"][0] != "custom-build");
    let features = compiled.filter_map(|unit| {
        let (_, package) = unit["pkg_id"].as_str()?.rsplit_once('#')?;
        let elsewhere = unit["pkg_id"].as_str()?.starts_with("registry+");
        let user = match unit["platform"].is_null() {
            true => "macros",
            false => "programs",
        };
        let features = unit["features"].as_array()?.iter();
        let features = features.filter_map(|feature| feature.as_str().map(str::to_owned));
        elsewhere.then(|| (format!("{package} for {user}"), features.collect()))
    });
    features.collect()
}

#[test]
fn dependencies_have_the_same_features_in_every_build() {
    let mut all: BTreeMap<String, BTreeMap<Vec<String>, Vec<String>>> = BTreeMap::new();
    for (build, packages) in builds() {
        for (dependency, features) in features(&packages) {
            let users = all.entry(dependency).or_default();
            users.entry(features).or_default().push(build.clone());
        }
    }
    assert!(all.len() > 100, "{}", all.len());
    let differ = all.iter().filter(|(_, users)| users.len() > 1);
    let violations: Vec<String> = differ
        .map(|(dependency, users)| {
            let lines = users.iter().map(|(features, builds)| {
                format!("\n  {} in {}", features.join(" "), builds.join(", "))
            });
            format!("{dependency}:{}", lines.collect::<String>())
        })
        .collect();
    assert_no_violations(
        "These dependencies are compiled more than once, with different features; the longest \
         list of each belongs to host/features/Cargo.toml:",
        &violations,
    );
}
