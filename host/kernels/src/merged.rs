// SPDX-License-Identifier: MIT OR Apache-2.0

//! Systems in which `/bin` and the like are links into `/usr`.

use std::{fs, os::unix::fs::symlink, path::Path};

use koru_error::{IoContext, Result};

/// The folders that are links.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// Makes these folders in `dir`.
pub(crate) fn merge_folders(dir: &Path) -> Result<()> {
    for name in MERGED {
        let folder = dir.join("usr").join(name);
        fs::create_dir_all(&folder).path_context("making", &folder)?;
        let link = dir.join(name);
        symlink(Path::new("usr").join(name), &link).path_context("linking", &link)?;
    }
    Ok(())
}
