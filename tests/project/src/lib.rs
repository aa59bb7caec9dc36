// SPDX-License-Identifier: MIT OR Apache-2.0

//! Shared parts of the checks of the project's own files: where the files are, and what
//! cargo knows about them.
#![forbid(unsafe_code)]

pub mod imports;

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};
use walkdir::{DirEntry, WalkDir};

/// Returns the folder of the whole project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is above its member")
}

/// Returns cargo's metadata of the workspace's members.
pub fn members() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--locked".into()])
        .exec()
        .expect("cargo reads the workspace")
}

/// Fails the calling test if a rule has violations, and lists them, one a line.
#[track_caller]
pub fn assert_no_violations(rule: &str, violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{rule}\n  {}",
        violations.join("\n  ")
    );
}

/// Returns the checkout's files with this extension, sorted.
pub fn source_files(extension: &str) -> Vec<PathBuf> {
    let is_source = |path: &Path| path.extension().is_some_and(|e| e == extension);
    files().into_iter().filter(|f| is_source(f)).collect()
}

/// Returns all files of the checkout, sorted, without what is built from them. It walks the
/// folders, because the checkout need not be a git repository.
pub fn files() -> Vec<PathBuf> {
    let not_ours = |entry: &DirEntry| {
        // A folder of sources may be called `target` as well. `make` in a folder with a Kbuild
        // leaves `*.mod.c` files.
        let name = entry.file_name().to_string_lossy();
        let is_package = |folder: &Path| folder.join("Cargo.toml").is_file();
        let is_output = name == "target" && entry.path().parent().is_some_and(is_package);
        is_output || name == ".git" || name.ends_with(".mod.c")
    };
    let mut files: Vec<PathBuf> = WalkDir::new(root())
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|e| !not_ours(e))
        .map(|e| e.expect("the checkout can be read"))
        .filter(|e| e.file_type().is_file())
        .map(DirEntry::into_path)
        .collect();
    files.sort();
    files
}

/// Returns a path relative to the project's folder, to be shown.
pub fn shown(path: &Path) -> String {
    let inside = path.strip_prefix(root());
    inside.unwrap_or(path).display().to_string()
}

/// The folders whose code is linked into kernel modules.
const RING_0: &[&str] = &[
    "kernel",
    "contracts",
    "modules",
    "tests/modules",
    "tests/broken",
    "tests/correct",
    "tests/planted",
    "bench/c",
    "bench/modules",
    "host/koru/tests/testsuite/atomic_context",
];

/// The folders inside [`RING_0`] whose code does not need the kernel.
const NOT_RING_0: &[&str] = &["kernel/bindgen", "kernel/pin-init"];

/// Returns whether a file or folder belongs to the code for the kernel, and so has the
/// kernel's licence.
pub fn is_ring_0(path: &Path) -> bool {
    let root = root();
    let inside = |folders: &[&str]| folders.iter().any(|f| path.starts_with(root.join(f)));
    inside(RING_0) && !inside(NOT_RING_0)
}

/// Returns whether a file is a template of `koru new`. What that writes belongs to the user,
/// who decides how it begins.
pub fn is_template(path: &Path) -> bool {
    path.starts_with(root().join("host/koru/templates"))
}
