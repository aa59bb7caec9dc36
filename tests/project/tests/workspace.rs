//! What every member of the workspace says in its Cargo.toml.

use std::fs;

use koru_project::{members, none_wrong};
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
