// SPDX-License-Identifier: MIT OR Apache-2.0

//! The static busybox that guests have as their shell and everyday commands.

use std::path::PathBuf;

use koru_error::Result;

use crate::{Cache, Progress, apt};

/// A static busybox: the guest's shell and everyday commands.
pub fn busybox(cache: &Cache, progress: &dyn Progress) -> Result<PathBuf> {
    let dir = cache.entry("tools", "busybox", progress, |dir| {
        apt::unpack(&["busybox-static".into()], dir, progress)
    })?;
    Ok(["bin/busybox", "usr/bin/busybox"]
        .iter()
        .map(|p| dir.join(p))
        .find(|p| p.is_file())
        .unwrap_or_else(|| dir.join("bin/busybox")))
}
