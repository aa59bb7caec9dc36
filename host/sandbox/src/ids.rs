// SPDX-License-Identifier: MIT OR Apache-2.0

//! Chooses the user id under which root runs a program that is not trusted.

use std::{
    collections::hash_map::RandomState,
    fs,
    hash::BuildHasher,
    io,
    os::unix::fs::{MetadataExt, lchown},
    path::{Path, PathBuf},
    process,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use koru_error::{IoContext, Result};

/// The first of the ids that are used. No distribution gives them to users, services or
/// containers.
const FIRST: u32 = 0x6b00_0000;

/// The number of these ids.
const COUNT: u32 = 1 << 24;

/// Returns an id that no other sandbox has at the time, so that the limit of its processes
/// counts only its own. Each process begins at random: process ids differ only within their
/// namespace.
pub fn unprivileged() -> u32 {
    static NEXT: LazyLock<AtomicU32> =
        LazyLock::new(|| AtomicU32::new(RandomState::new().hash_one(process::id()) as u32));
    let wanted = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
    let maps = ["/proc/self/uid_map", "/proc/self/gid_map"];
    maps.iter()
        .map(|map| fs::read_to_string(map).unwrap_or_default())
        .fold(wanted, |id, map| available(&map, id))
}

/// Returns the id under which root runs a program that may write to these folders. They become
/// its own, if they are not yet.
pub fn owner(folders: &[PathBuf]) -> Result<u32> {
    let found = folders.iter().find_map(|f| sandboxed(f));
    let id = found.unwrap_or_else(unprivileged);
    for folder in folders.iter().filter(|f| sandboxed(f) != Some(id)) {
        give(folder, id).path_context("giving the build", folder)?;
    }
    Ok(id)
}

/// Prepares a [writable](crate::Sandbox::writable) folder for a program outside of a sandbox,
/// whose files will not be the sandbox's own: the next sandbox takes the folder over again.
pub fn leave_sandbox(folder: &Path) -> Result<()> {
    match sandboxed(folder) {
        Some(_) => lchown(folder, Some(0), Some(0)).path_context("taking back", folder),
        None => Ok(()),
    }
}

/// Returns the sandbox's id that owns a folder, if one does.
fn sandboxed(folder: &Path) -> Option<u32> {
    let owner = fs::symlink_metadata(folder).ok()?.uid();
    (FIRST..FIRST + COUNT).contains(&owner).then_some(owner)
}

/// Changes the owner of a folder and of everything in it. The folder itself comes last, since
/// its owner says that this has been done.
fn give(path: &Path, id: u32) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), id)?;
        }
    }
    lchown(path, Some(id), Some(id))
}

/// Returns `wanted` if the user namespace with this map has it, or else its last id: many
/// containers have only 65536 ids.
fn available(map: &str, wanted: u32) -> u32 {
    let ranges: Vec<(u32, u32)> = map
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().map(|w| w.parse::<u32>().ok());
            let (first, _, count) = (words.next()??, words.next()??, words.next()??);
            Some((first, first.saturating_add(count.checked_sub(1)?)))
        })
        .collect();
    let last = ranges.iter().map(|(_, last)| *last).max();
    if ranges.iter().any(|(a, b)| (*a..=*b).contains(&wanted)) {
        wanted
    } else {
        last.unwrap_or(wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_exist_in_their_namespace() {
        let all = "         0          0 4294967295\n";
        assert_eq!(available(all, FIRST), FIRST);
        assert_eq!(available("0 100000 65536\n", FIRST), 65535);
        assert_eq!(available("0 1000 1\n1 100000 65536\n", FIRST), 65536);
        assert_eq!(available("", FIRST), FIRST);
    }

    #[test]
    fn sandboxes_of_one_process_differ() {
        // A process may run many sandboxes at once.
        let ids: BTreeSet<u32> = (0..1000).map(|_| unprivileged()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.range(..FIRST).next().is_none() && ids.range(FIRST + COUNT..).next().is_none());
    }
}
