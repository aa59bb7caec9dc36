// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the checks of the project's own files have in common: where the files are, and
//! what cargo knows of them.
#![forbid(unsafe_code)]

pub mod imports;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use cargo_metadata::{Metadata, MetadataCommand};
use walkdir::{DirEntry, WalkDir};

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

/// Returns the project's files whose names end in `.extension`, sorted: those of the
/// checkout, and not what is built from them.
pub fn source_files(extension: &str) -> Vec<PathBuf> {
    let is_source = |path: &Path| path.extension().is_some_and(|e| e == extension);
    files().into_iter().filter(|f| is_source(f)).collect()
}

/// Returns all files of the checkout, sorted. There need not be a repository around them.
pub fn files() -> Vec<PathBuf> {
    // `make` in a folder with a Kbuild leaves the last.
    let not_ours = |name: &OsStr| {
        let name = name.to_string_lossy();
        name == "target" || name == ".git" || name.ends_with(".mod.c")
    };
    let mut files: Vec<PathBuf> = WalkDir::new(root())
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|e| !not_ours(e.file_name()))
        .map(|e| e.expect("the checkout can be read"))
        .filter(|e| e.file_type().is_file())
        .map(DirEntry::into_path)
        .collect();
    files.sort();
    files
}

/// Returns a path as it is shown: from the project's folder on.
pub fn shown(path: &Path) -> String {
    let inside = path.strip_prefix(root());
    inside.unwrap_or(path).display().to_string()
}

/// The folders whose code is linked into kernel modules.
const RING_0: &[&str] = &[
    "kernel",
    "modules",
    "tests/modules",
    "tests/broken",
    "tests/correct",
    "host/koru/tests/atomic_context",
];

/// What is in those folders and is not for ring 0 alone.
const NOT_RING_0: &[&str] = &["kernel/bindgen", "kernel/pin-init"];

/// Returns whether a file or folder is for the kernel alone, and so under its licence.
pub fn is_ring_0(path: &Path) -> bool {
    let root = root();
    let inside = |folders: &[&str]| folders.iter().any(|f| path.starts_with(root.join(f)));
    inside(RING_0) && !inside(NOT_RING_0)
}

/// Returns whether a file is one that `koru new` copies. What it writes belongs to its
/// user, who decides how it begins.
pub fn is_template(path: &Path) -> bool {
    path.starts_with(root().join("host/koru/templates"))
}
