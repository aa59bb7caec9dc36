// SPDX-License-Identifier: MIT OR Apache-2.0

//! The cache: folders that are named by keys of their content and are either complete or
//! absent, and locks between the processes that make them.

use std::{
    fs::{self, File, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use koru_error::{IoContext, Result};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use sha2::{Digest, Sha256};

use crate::Progress;

/// A folder of things that can be made again, each under a key of its content.
///
/// An entry is made in a temporary folder next to its final path and renamed when it is
/// complete, so a crash, a full disk or Ctrl-C leaves no partial entry.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    pub fn new(root: &Path) -> Cache {
        Cache { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder `kind/name`, which `make` fills if it does not exist yet. If another
    /// process is making the same entry, this waits for it.
    pub fn entry(
        &self,
        kind: &str,
        name: &str,
        progress: &dyn Progress,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let folder = self.root.join(kind);
        let place = folder.join(name);
        if place.is_dir() {
            return Ok(place);
        }
        let _lock = self.lock(
            &format!("{kind}-{name}"),
            &format!("{kind}/{name}"),
            progress,
        )?;
        if place.is_dir() {
            return Ok(place);
        }
        fs::create_dir_all(&folder).path_context("making", &folder)?;
        self.sweep(&folder, name);
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .tempdir_in(&folder)
            .path_context("making a folder in", &folder)?;
        make(temporary.path())?;
        let made = temporary.keep();
        fs::rename(&made, &place).path_context("renaming to", &place)?;
        Ok(place)
    }

    /// Takes the lock `name`. If it has to wait for that, it reports that it waits for `what`.
    pub fn lock(&self, name: &str, what: &str, progress: &dyn Progress) -> Result<Lock> {
        Lock::take(&self.root.join("locks"), name, what, progress)
    }

    /// Removes what processes that were killed left of this entry. The caller must hold the
    /// entry's lock.
    fn sweep(&self, folder: &Path, name: &str) {
        let prefix = format!(".{name}.");
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// A lock between processes, which the kernel releases however its holder ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    pub fn take(folder: &Path, name: &str, what: &str, progress: &dyn Progress) -> Result<Lock> {
        fs::create_dir_all(folder).path_context("making", folder)?;
        let path = folder.join(format!("{name}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .path_context("opening", &path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                progress.status(&format!("waiting for another koru ({what})"));
                rustix::io::retry_on_intr(|| flock(&file, FlockOperation::LockExclusive))
                    .map_err(Into::into)
                    .path_context("locking", &path)?;
            }
            Err(e) => return Err(e.into()).path_context("locking", &path),
        }
        Ok(Lock { _file: file })
    }
}

/// A hash of everything that an entry is made from.
#[derive(Default)]
pub struct Key(Sha256);

impl Key {
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Key {
        let part = part.as_ref();
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    pub fn add_file(self, path: &Path) -> Result<Key> {
        let content = fs::read(path).path_context("reading", path)?;
        Ok(self.with(content))
    }

    pub fn hex(self) -> String {
        let digest = self.0.finalize();
        digest[..12].iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Writes a file either completely or not at all.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).path_context("making", folder)?;
    // Those of the old file, or those that any new file gets.
    let old = fs::metadata(path).map(|meta| meta.permissions());
    let mut file = tempfile::Builder::new()
        .permissions(old.unwrap_or(Permissions::from_mode(0o666)))
        .tempfile_in(folder)
        .path_context("making a file in", folder)?;
    file.write_all(content).path_context("writing", path)?;
    file.persist(path)
        .map_err(|e| e.error)
        .path_context("writing", path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoProgress;
    use koru_error::{Error, Kind};

    #[test]
    fn written_files_have_the_permissions_of_any_file() {
        let dir = tempfile::tempdir().unwrap();
        let [plain, written] = ["plain", "written"].map(|name| dir.path().join(name));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::write(&plain, "x").unwrap();
        write_atomically(&written, b"x").unwrap();
        assert_eq!(mode(&written), mode(&plain));
        fs::set_permissions(&written, Permissions::from_mode(0o640)).unwrap();
        write_atomically(&written, b"y").unwrap();
        assert_eq!(mode(&written), 0o640);
    }

    #[test]
    fn a_failed_entry_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        let failed = cache.entry("things", "a", &NoProgress, |d| {
            fs::write(d.join("half"), "x").unwrap();
            Err(Error::new(Kind::System, "making", "no"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(dir.path().join("things")).unwrap().count(), 0);
        let place = cache
            .entry("things", "a", &NoProgress, |d| {
                fs::write(d.join("whole"), "x").unwrap();
                Ok(())
            })
            .unwrap();
        assert!(place.join("whole").is_file());
    }

    #[test]
    fn what_a_killed_maker_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("things/.a.123/sub")).unwrap();
        let cache = Cache::new(dir.path());
        cache.entry("things", "a", &NoProgress, |_| Ok(())).unwrap();
        assert!(!dir.path().join("things/.a.123").exists());
    }

    #[test]
    fn many_makers_make_once() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        let made = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|s| {
            for _ in 0..8 {
                s.spawn(|| {
                    cache
                        .entry("things", "b", &NoProgress, |_| {
                            made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            Ok(())
                        })
                        .unwrap()
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn keys_keep_parts_apart() {
        let key = |parts: &[&str]| parts.iter().fold(Key::default(), |k, p| k.with(p)).hex();
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
    }
}
