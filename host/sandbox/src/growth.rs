// SPDX-License-Identifier: MIT OR Apache-2.0

//! Watches how much is written to a folder on a disk.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::fs::statvfs;

/// How many times the limit a disk may lose while nothing in the folder explains it.
const UNEXPLAINED: u64 = 4;

/// A folder that a program may write to, and how full its disk was in the beginning.
pub struct Growth {
    folder: PathBuf,
    free: u64,
}

impl Growth {
    /// Begins to watch.
    pub fn new(folder: &Path) -> Growth {
        Growth {
            free: free(folder),
            folder: folder.to_owned(),
        }
    }

    /// Returns whether more than `limit` bytes have been written. The files are looked at only
    /// when the disk has lost as much, which may be others' doing. A file without a name is in
    /// no folder, so a disk that loses several times as much counts as well.
    pub fn exceeds(&self, limit: u64) -> bool {
        let lost = self.free.saturating_sub(free(&self.folder));
        lost > limit && (lost / UNEXPLAINED > limit || used(&self.folder) > limit)
    }
}

fn free(folder: &Path) -> u64 {
    statvfs(folder).map_or(0, |s| s.f_bfree * s.f_frsize)
}

/// Returns the bytes on the disk that the files of a folder take.
fn used(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, metadata)| {
            let inner = if metadata.is_dir() { used(&path) } else { 0 };
            metadata.blocks() * 512 + inner
        })
        .sum()
}
