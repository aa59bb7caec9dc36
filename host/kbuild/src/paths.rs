// SPDX-License-Identifier: MIT OR Apache-2.0

//! Formats paths for messages.

use std::path::Path;

/// Returns a source file's path relative to the current folder, if the file is below it.
pub(crate) fn shortened(file: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = Path::new(file).strip_prefix(here).ok();
    short.map_or(file.to_owned(), |f| f.display().to_string())
}
