//! What the checks of the project's own files have in common: where the files are, and
//! what cargo knows of them.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};

/// Returns the folder of the whole project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is above its member")
}

/// Returns what cargo says of the workspace's members.
pub fn members() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--locked".into()])
        .exec()
        .expect("cargo reads the workspace")
}

/// Fails the calling test with all of `wrong`, one a line, unless there is none.
#[track_caller]
pub fn none_wrong(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}\n  {}", wrong.join("\n  "));
}
