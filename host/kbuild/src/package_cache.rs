// SPDX-License-Identifier: MIT OR Apache-2.0

//! Cargo's lock on the crates and the registry's index that it has downloaded.
//!
//! In a sandbox, cargo cannot write to that folder and so takes no lock. A cargo that downloads
//! at the same time rewrites files of the index in place, and a reader without the lock finds
//! them empty: "no matching package named ...". Koru holds the lock for the cargo in the sandbox.

use std::{fs::File, path::Path, sync::Mutex};

use koru_sandbox::Stream;
use rustix::{
    fs::{FlockOperation, flock},
    io::{Errno, retry_on_intr},
};

/// The lock, until cargo has read the index.
pub(crate) struct IndexLock(Mutex<Option<File>>);

impl IndexLock {
    /// Takes the lock in cargo's folder `home`, if there is such a file. It calls `waits` if
    /// another cargo is downloading.
    pub(crate) fn take(home: &Path, waits: impl FnOnce()) -> IndexLock {
        let file = File::open(home.join(".package-cache")).ok();
        let locked = file.filter(|file| {
            match flock(file, FlockOperation::NonBlockingLockShared) {
                Err(Errno::WOULDBLOCK) => {
                    waits();
                    retry_on_intr(|| flock(file, FlockOperation::LockShared)).is_ok()
                }
                // Cargo goes on as well where a file system has no locks.
                other => other.is_ok(),
            }
        });
        IndexLock(Mutex::new(locked))
    }

    /// Releases the lock if a line of cargo's output shows that cargo is compiling, so that others
    /// can download meanwhile.
    pub(crate) fn see(&self, stream: Stream, line: &str) {
        const COMPILES: [&str; 3] = ["Compiling ", "Checking ", "Finished "];
        let line = line.trim_start();
        if stream == Stream::Stdout || COMPILES.iter().any(|begin| line.starts_with(begin)) {
            self.0.lock().expect("no panic while held").take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_download_once_cargo_compiles() {
        let home = tempfile::tempdir().unwrap();
        // Without a file, cargo has downloaded nothing.
        IndexLock::take(home.path(), || panic!("nobody has it"));
        let cache = File::create(home.path().join(".package-cache")).unwrap();
        let download = || flock(&cache, FlockOperation::NonBlockingLockExclusive);
        let index = IndexLock::take(home.path(), || panic!("nobody has it"));
        let second = IndexLock::take(home.path(), || panic!("readers share it"));
        drop(second);
        index.see(Stream::Stderr, "warning: unused manifest key: package.x");
        assert_eq!(download(), Err(Errno::WOULDBLOCK));
        index.see(Stream::Stderr, "   Compiling kernel v0.1.0");
        download().expect("the lock is free");
        let waited = Mutex::new(false);
        let index = IndexLock::take(home.path(), || {
            *waited.lock().unwrap() = true;
            flock(&cache, FlockOperation::Unlock).unwrap();
        });
        assert!(*waited.lock().unwrap());
        assert_eq!(download(), Err(Errno::WOULDBLOCK));
        index.see(Stream::Stdout, "{\"reason\":\"compiler-artifact\"}");
        download().expect("the lock is free");
    }
}
