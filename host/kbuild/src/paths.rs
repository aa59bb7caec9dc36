// SPDX-License-Identifier: MIT OR Apache-2.0

//! Paths as messages show them.

use std::path::Path;

/// A source file's path as seen from the current folder.
pub(crate) fn shortened(file: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = Path::new(file).strip_prefix(here).ok();
    short.map_or(file.to_owned(), |f| f.display().to_string())
}
