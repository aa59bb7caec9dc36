// SPDX-License-Identifier: MIT OR Apache-2.0

//! The tests' own list of kernels: those that set-up gets, whichever kernels the user has added,
//! and whichever is the default.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use koru_kernels::{Cache, Home, KernelTree, Kernels};
use sha2::{Digest, Sha256};

/// The versions of the kernels on which everything is tested.
pub const KERNELS: [&str; 2] = koru_kernels::SUPPORTED;

/// Returns the cache that the tests' runs of koru use.
pub fn cache() -> &'static Path {
    static CACHE: OnceLock<PathBuf> = OnceLock::new();
    CACHE.get_or_init(|| {
        let users = Home::find().expect("the checkout").cache;
        own_cache(&users, Path::new(env!("CARGO_TARGET_TMPDIR")))
    })
}

/// Returns the tree of one of [`KERNELS`].
pub fn tree(version: &str) -> KernelTree {
    let kernels = Kernels::new(&Cache::new(cache()));
    let found = kernels.supported(version);
    let found = found.unwrap_or_else(|| panic!("no kernel {version}: koru setup --tests"));
    found.expect("a kernel's tree")
}

/// Makes a cache in `place` that shares everything with `users` except the list of kernels: only
/// the supported kernels are on the list, and no default is chosen.
pub fn own_cache(users: &Path, place: &Path) -> PathBuf {
    let kernels = Kernels::new(&Cache::new(users));
    let found = KERNELS.map(|version| kernels.supported(version));
    let releases: Vec<String> = found
        .into_iter()
        .flatten()
        .map(|tree| tree.expect("a kernel's tree").release)
        .collect();
    let whole = format!("{} {releases:?}", users.display());
    let hash = format!("{:x}", Sha256::digest(whole));
    let cache = place.join(format!("cache-{}", &hash[..12]));
    if !cache.is_dir() {
        fs::create_dir_all(place).expect("a folder");
        let made = tempfile::tempdir_in(place).expect("a folder");
        link(users, &releases, made.path()).expect("making a cache");
        // Another test program may have been faster.
        if fs::rename(made.path(), &cache).is_ok() {
            let _ = made.keep();
        }
    }
    assert!(cache.is_dir(), "{}", cache.display());
    cache
}

fn link(users: &Path, releases: &[String], cache: &Path) -> io::Result<()> {
    fs::create_dir_all(cache.join("kernels"))?;
    for shared in [
        "agreed", "crates", "guest", "locks", "shims", "sysroots", "tools",
    ] {
        fs::create_dir_all(users.join(shared))?;
        symlink(users.join(shared), cache.join(shared))?;
    }
    for release in releases {
        let kernel = Path::new("kernels").join(release);
        symlink(users.join(&kernel), cache.join(&kernel))?;
    }
    Ok(())
}

/// A cache like that of a user who has added other kernels, some of them newer than ours.
pub struct Added {
    dir: tempfile::TempDir,
    /// The release of a downloaded kernel. Its image boots, but is of another release, so nothing
    /// that is built for this one can be loaded.
    pub generic: &'static str,
    /// The release of another flavour of the same kernel.
    pub realtime: &'static str,
}

impl Added {
    /// Makes a cache with the supported kernels and two others.
    pub fn new() -> Added {
        let releases = KERNELS.map(|version| tree(version).release);
        let added = Added::with(&releases);
        for release in [added.generic, added.realtime] {
            let place = added.cache().join("kernels").join(release);
            unpacked(&tree("6.1"), release, &place).expect("making a kernel");
        }
        added
    }

    /// Makes a cache with one of the supported kernels.
    pub fn with_kernel(version: &str) -> Added {
        Added::with(&[tree(version).release])
    }

    /// Makes a cache without a kernel.
    pub fn without_kernels() -> Added {
        Added::with(&[])
    }

    fn with(releases: &[String]) -> Added {
        let added = Added {
            dir: tempfile::tempdir().expect("a folder"),
            generic: "6.1.999-amd64",
            realtime: "6.1.999-rt-amd64",
        };
        link(cache(), releases, &added.cache()).expect("making a cache");
        added
    }

    pub fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    /// Makes a user's own build directory with this release, which is not added yet.
    pub fn directory(&self, release: &str) -> PathBuf {
        self.directory_like("6.12", release)
    }

    /// Makes a build directory like that of `version`, one of [`KERNELS`].
    pub fn directory_like(&self, version: &str, release: &str) -> PathBuf {
        let place = self.dir.path().join(release);
        unpacked(&tree(version), release, &place).expect("making a kernel");
        place.join("tree").canonicalize().expect("a kernel's tree")
    }
}

/// Lays out a kernel of another release as its unpacked packages would be: the headers are its
/// own, and everything else is linked to an installed kernel.
fn unpacked(like: &KernelTree, release: &str, place: &Path) -> io::Result<()> {
    let sources = like.build_dir.parent().expect("usr/src");
    let headers = place.join(format!("usr/src/linux-headers-{release}"));
    fs::create_dir_all(place.join("usr/src"))?;
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(&like.build_dir)
        .arg(&headers)
        .status()?;
    assert!(copied.success());
    for entry in fs::read_dir(sources)?.flatten() {
        if entry.path() != like.build_dir {
            symlink(entry.path(), place.join("usr/src").join(entry.file_name()))?;
        }
    }
    symlink(sources.with_file_name("lib"), place.join("usr/lib"))?;
    let utsrelease = headers.join("include/generated/utsrelease.h");
    let text = fs::read_to_string(&utsrelease)?;
    fs::write(&utsrelease, text.replace(&like.release, release))?;
    fs::create_dir(place.join("boot"))?;
    let image = like.image.as_ref().expect("an image");
    symlink(image, place.join(format!("boot/vmlinuz-{release}")))?;
    symlink(
        format!("usr/src/linux-headers-{release}"),
        place.join("tree"),
    )
}
