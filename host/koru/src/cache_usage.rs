// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds what takes how much of the cache, and since when it has not been used.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use koru_kernels::Cache;

/// What is in the cache, as users know it, and the folders that it is in.
///
/// koru makes everything again when it is needed, except what is [`KEPT`].
const KINDS: [(&str, &[&str]); 10] = [
    ("kernels and tools", &["kernels", "tools"]),
    ("package lists", &["archive", "unpacked"]),
    ("compilers of suites", &["userlands"]),
    ("saved guests", &["guest/saved"]),
    ("guest images", &["guest"]),
    ("compiled kernel crates", &["sysroots", "shims", "crates"]),
    ("builds of modules", &["modules", "targets"]),
    ("loaded modules and tests", &["loaded", "tests"]),
    ("work of students", &["submissions"]),
    ("calls that were found by fuzzing", &["fuzz"]),
];

/// What only a download brings back.
const KEPT: [&str; 4] = ["kernels", "tools", "archive", "userlands"];

/// One file or folder that can be removed by itself.
pub struct CacheEntry {
    pub path: PathBuf,
    /// What it takes on the disk.
    pub bytes: u64,
    pub last_used: SystemTime,
    /// The index of its kind.
    kind: usize,
    is_kept: bool,
}

/// What the entries of one kind take on the disk, in bytes.
pub struct KindUsage {
    pub kind: &'static str,
    pub bytes: u64,
}

/// Returns everything in the cache.
pub fn entries(cache: &Cache) -> Vec<CacheEntry> {
    let folders = KINDS
        .iter()
        .flat_map(|(_, folders)| folders.iter().copied());
    let folders: Vec<&str> = folders.collect();
    let mut entries = Vec::new();
    for (kind, (_, own)) in KINDS.iter().enumerate() {
        for folder in *own {
            let place = cache.root().join(folder);
            // What a link leads to may belong to another cache.
            if place.is_symlink() {
                continue;
            }
            for file in fs::read_dir(place).into_iter().flatten().flatten() {
                let path = file.path();
                // A folder with a kind of its own.
                if folders.iter().any(|other| cache.root().join(other) == path) {
                    continue;
                }
                let (bytes, last_used) = measure(&path);
                entries.push(CacheEntry {
                    path,
                    bytes,
                    last_used,
                    kind,
                    is_kept: KEPT.contains(folder),
                });
            }
        }
    }
    entries
}

/// Returns what each kind takes, without those that take nothing.
pub fn by_kind(entries: &[CacheEntry]) -> Vec<KindUsage> {
    let kinds = KINDS.iter().enumerate().map(|(index, (kind, _))| {
        let own = entries.iter().filter(|entry| entry.kind == index);
        let bytes = own.map(|entry| entry.bytes).sum();
        KindUsage { kind, bytes }
    });
    kinds.filter(|usage| usage.bytes > 0).collect()
}

/// Chooses what to remove, so that nothing is left that was unused for `unused_for`, and that
/// everything together takes at most `max_bytes`: what was unused for the longest time goes first.
pub fn superfluous(
    entries: Vec<CacheEntry>,
    unused_for: Option<Duration>,
    max_bytes: Option<u64>,
) -> Vec<CacheEntry> {
    let mut left: u64 = entries.iter().map(|entry| entry.bytes).sum();
    let mut entries: Vec<CacheEntry> = entries.into_iter().filter(|e| !e.is_kept).collect();
    entries.sort_by_key(|entry| entry.last_used);
    let now = SystemTime::now();
    entries.retain(|entry| {
        let unused = now.duration_since(entry.last_used).unwrap_or_default();
        let is_old = unused_for.is_some_and(|limit| unused >= limit);
        let is_too_much = max_bytes.is_some_and(|max| left > max);
        if is_old || is_too_much {
            left -= entry.bytes;
        }
        is_old || is_too_much
    });
    entries
}

/// Returns what a file or folder takes on the disk, and when one of its files was last read or
/// written. (File systems usually note a day's first reading only.)
fn measure(path: &Path) -> (u64, SystemTime) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return (0, UNIX_EPOCH);
    };
    let mut bytes = meta.blocks() * 512;
    let mut last_used = meta.modified().unwrap_or(UNIX_EPOCH);
    if meta.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            let (inside, used) = measure(&entry.path());
            bytes += inside;
            last_used = last_used.max(used);
        }
    } else if let Ok(read) = meta.accessed() {
        last_used = last_used.max(read);
    }
    (bytes, last_used)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    /// Makes a file of 1 MiB in the cache that was last used some days ago.
    fn make(cache: &Cache, path: &str, days: u32) {
        let path = cache.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![1; 1 << 20]).unwrap();
        let then = SystemTime::now() - days * DAY;
        let times = fs::FileTimes::new().set_accessed(then).set_modified(then);
        let set = |path: &Path| fs::File::open(path).and_then(|file| file.set_times(times));
        set(&path).unwrap();
        // The folder of the entry is as old.
        set(path.parent().unwrap()).unwrap();
    }

    fn names(cache: &Cache, entries: &[CacheEntry]) -> Vec<String> {
        let name = |entry: &CacheEntry| {
            let path = entry.path.strip_prefix(cache.root()).unwrap();
            path.display().to_string()
        };
        entries.iter().map(name).collect()
    }

    #[test]
    fn longest_unused_goes_first_and_downloads_stay() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        make(&cache, "kernels/6.1/image", 90);
        make(&cache, "guest/saved/old/ram", 40);
        make(&cache, "guest/saved/new/ram", 1);
        make(&cache, "guest/vmlinux", 20);
        make(&cache, "shims/a/shim.o", 10);
        let chosen = |days: Option<u32>, mib: Option<u64>| {
            let days = days.map(|days| days * DAY);
            let chosen = superfluous(entries(&cache), days, mib.map(|mib| mib << 20));
            names(&cache, &chosen)
        };
        assert_eq!(chosen(None, None), [""; 0]);
        assert_eq!(chosen(Some(30), None), ["guest/saved/old"]);
        let oldest = ["guest/saved/old", "guest/vmlinux"];
        assert_eq!(chosen(Some(15), None), oldest);
        // Folders take a block more.
        assert_eq!(chosen(None, Some(4)), oldest);
        assert_eq!(chosen(Some(30), Some(4)), oldest);
        assert_eq!(chosen(None, Some(0)).len(), 4);

        let linked = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path().join("shims"), linked.path().join("shims")).unwrap();
        assert!(entries(&Cache::new(linked.path())).is_empty());

        let usage = by_kind(&entries(&cache));
        let usage: Vec<_> = usage.iter().map(|u| (u.kind, u.bytes >> 20)).collect();
        let expected = [
            ("kernels and tools", 1),
            ("saved guests", 2),
            ("guest images", 1),
            ("compiled kernel crates", 1),
        ];
        assert_eq!(usage, expected);
    }
}
