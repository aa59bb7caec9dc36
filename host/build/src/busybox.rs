use std::path::PathBuf;

use koru_error::Result;
use crate::{Cache, Report, apt};

/// A static busybox: the guest's shell and everyday commands.
pub fn busybox(cache: &Cache, report: &dyn Report) -> Result<PathBuf> {
    let dir = cache.entry("tools", "busybox", report, |dir| {
        apt::unpack(&["busybox-static".into()], dir, report)
    })?;
    Ok(["bin/busybox", "usr/bin/busybox"]
        .iter()
        .map(|p| dir.join(p))
        .find(|p| p.is_file())
        .unwrap_or_else(|| dir.join("bin/busybox")))
}
