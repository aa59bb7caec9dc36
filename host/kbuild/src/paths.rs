// SPDX-License-Identifier: MIT OR Apache-2.0

//! Formats paths for messages.

use std::path::Path;

/// Returns a source file's path relative to the current folder, if the file is below it.
pub(crate) fn shortened(file: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = Path::new(file).strip_prefix(here).ok();
    short.map_or(file.to_owned(), |f| f.display().to_string())
}

/// Returns the name of a module as the name of its file says it.
pub fn module_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    stem.replace('-', "_")
}
