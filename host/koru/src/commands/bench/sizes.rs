// SPDX-License-Identifier: MIT OR Apache-2.0

//! The file of a module as it is installed: without debug info.

use std::{fs, path::Path, process::Command};

use koru_error::{Error, IoContext, Kind, Result};
use object::{Object, ObjectSection, SectionKind};

/// Returns a module's file without debug info, which Kbuild leaves in the modules that it builds.
pub fn without_debug_info(ko: &Path) -> Result<Vec<u8>> {
    let folder = tempfile::Builder::new()
        .prefix("koru-bench.")
        .tempdir()
        .path_context("making a folder in", &std::env::temp_dir())?;
    let stripped = folder.path().join("stripped.ko");
    let mut objcopy = Command::new("objcopy");
    objcopy.arg("--strip-debug").arg(ko).arg(&stripped);
    let attempted = format!("removing the debug info of {}", ko.display());
    koru_kernels::run(&mut objcopy, &attempted)?;
    fs::read(&stripped).path_context("reading", &stripped)
}

/// Returns the number of bytes of instructions in a module's file: the sections that are
/// executed, with those of init and exit.
pub fn code(file: &[u8]) -> Result<u64> {
    let file = object::File::parse(file)
        .map_err(|e| Error::new(Kind::Usage, "reading a module", e.to_string()))?;
    let code = file.sections();
    let code = code.filter(|section| section.kind() == SectionKind::Text);
    Ok(code.map(|section| section.size()).sum())
}
