// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes JUnit reports.

use std::{fs, path::Path};

use koru_error::{Error, IoContext, Kind, Result};

/// Writes a JUnit report, and makes its folder.
pub fn write_junit_file(report: &quick_junit::Report, path: &Path) -> Result<()> {
    let text = report
        .to_string()
        .map_err(|e| Error::new(Kind::System, "writing the JUnit report", e.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .path_context("writing", path)
}
