// SPDX-License-Identifier: MIT OR Apache-2.0

//! Gets the static busybox that gives guests a shell and everyday commands.

use std::path::PathBuf;

use koru_error::Result;

use crate::{Apt, Cache, Progress};

/// Returns a static busybox, which gives guests a shell and everyday commands. It is
/// downloaded unless the cache has it.
pub fn busybox(cache: &Cache, progress: &dyn Progress) -> Result<PathBuf> {
    let dir = cache.entry("tools", "busybox", progress, |dir| {
        Apt::machine().unpack(&["busybox-static".into()], dir, progress)
    })?;
    Ok(["bin/busybox", "usr/bin/busybox"]
        .iter()
        .map(|p| dir.join(p))
        .find(|p| p.is_file())
        .unwrap_or_else(|| dir.join("bin/busybox")))
}
