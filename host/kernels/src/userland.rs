// SPDX-License-Identifier: MIT OR Apache-2.0

//! The programs of a kernel's own suite, for machines whose own do not build for that kernel.
//!
//! bubblewrap shows them to a command in the place of the machine's `/usr`, so no right is
//! needed, and nothing is installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Cache;

/// The folder of the cache.
pub(crate) const FOLDER: &str = "userlands";

/// The file in a kernel's folder with the name of its userland.
pub(crate) const MARK: &str = "userland";

/// Folders of `/usr` that stay the machine's own.
pub const KEPT: [&str; 2] = ["/usr/local", "/usr/src"];

/// A folder with a suite's programs and libraries, in `usr`.
#[derive(Debug, Clone, PartialEq)]
pub struct Userland {
    root: PathBuf,
}

impl Userland {
    /// Returns the folder with the `usr` that takes the place of the machine's.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the name of its folder in the cache.
    pub(crate) fn name(&self) -> &str {
        let name = self.root.file_name().unwrap_or_default();
        name.to_str().unwrap_or_default()
    }

    /// Returns the name of its C compiler, such as `gcc-12`.
    pub(crate) fn compiler(&self) -> Option<String> {
        let programs = fs::read_dir(self.root.join("usr/bin")).ok()?;
        let names = programs.flatten().map(|e| e.file_name());
        let mut names = names.filter_map(|name| name.into_string().ok());
        names.find(|name| {
            let version = name.strip_prefix("gcc-").unwrap_or_default();
            !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit())
        })
    }

    /// Returns the userland of this name in the cache.
    pub(crate) fn named(cache: &Cache, name: &str) -> Option<Userland> {
        let root = cache.root().join(FOLDER).join(name);
        root.is_dir().then_some(Userland { root })
    }

    /// Returns the path of a program, which is one only in the userland.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.root.join("usr/bin").join(name);
        // Links are absolute in the userland.
        path.symlink_metadata().is_ok().then_some(path)
    }

    /// Returns the userland that was chosen for the kernel in this folder of the cache.
    pub(crate) fn chosen(cache: &Cache, kernel: &Path) -> Option<Userland> {
        let name = fs::read_to_string(kernel.join(MARK)).ok()?;
        Userland::named(cache, name.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_userland_is_that_of_the_mark() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        let kernel = dir.path().join("kernels/1.2.3");
        fs::create_dir_all(&kernel).unwrap();
        assert_eq!(Userland::chosen(&cache, &kernel), None);
        fs::write(kernel.join(MARK), "some\n").unwrap();
        // It was removed.
        assert_eq!(Userland::chosen(&cache, &kernel), None);
        let root = dir.path().join("userlands/some");
        fs::create_dir_all(&root).unwrap();
        assert_eq!(Userland::chosen(&cache, &kernel), Some(Userland { root }));
    }
}
