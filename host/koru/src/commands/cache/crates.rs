// SPDX-License-Identifier: MIT OR Apache-2.0

//! The crates of crates.io that Koru and new modules need, in cargo's own folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{cargo, cargo_home};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What Cargo.lock says about a package.
#[derive(Deserialize)]
pub struct Locked {
    name: String,
    version: String,
    /// The SHA-256 of the crate's file, if it is one of a registry.
    pub checksum: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

impl Locked {
    pub fn file_name(&self) -> String {
        format!("{}-{}.crate", self.name, self.version)
    }

    /// Returns where a registry's index has the package.
    fn index_path(&self) -> PathBuf {
        let name = self.name.to_lowercase();
        let folders = match name.len() {
            1 => "1".to_owned(),
            2 => "2".to_owned(),
            3 => format!("3/{}", &name[..1]),
            _ => format!("{}/{}", &name[..2], &name[2..4]),
        };
        Path::new(".cache").join(folders).join(name)
    }
}

/// Returns the crates that the checkout's Cargo.lock names.
pub fn locked(checkout: &Path) -> Result<Vec<Locked>> {
    let path = checkout.join("Cargo.lock");
    let text = fs::read_to_string(&path).path_context("reading", &path)?;
    let lock: Lock = toml::from_str(&text).map_err(|e| {
        Error::new(
            Kind::System,
            format!("reading {}", path.display()),
            e.message(),
        )
    })?;
    let mut all = lock.package;
    all.retain(|package| package.checksum.is_some());
    Ok(all)
}

/// Returns cargo's registry folder.
pub fn registry() -> Result<PathBuf> {
    let home = cargo_home().ok_or_else(|| {
        let attempted = "looking for cargo's folder";
        Error::new(Kind::Missing, attempted, "HOME is not set").help("set HOME or CARGO_HOME")
    })?;
    Ok(home.join("registry"))
}

/// Downloads the crates that are missing.
pub fn fetch(checkout: &Path) -> Result<()> {
    let mut fetch = cargo();
    fetch
        .args(["fetch", "--locked", "--target", "x86_64-unknown-linux-gnu"])
        .arg("--manifest-path")
        .arg(checkout.join("Cargo.toml"))
        .env("CARGO_TERM_COLOR", "never");
    koru_kernels::run(&mut fetch, "fetching crates").map(|_| ())
}

/// Returns the files of the registry with these crates, as paths in it.
pub fn files(registry: &Path, crates: &[Locked]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(registry.join("cache"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let (cache, index) = (
            Path::new("cache").join(entry.file_name()),
            Path::new("index").join(entry.file_name()),
        );
        for package in crates {
            let found = cache.join(package.file_name());
            if is_intact(&registry.join(&found), package) {
                files.push(found);
            }
            // cargo reads what is in Cargo.lock for other systems as well.
            files.push(index.join(package.index_path()));
        }
        files.push(index.join("config.json"));
    }
    files.retain(|file| registry.join(file).is_file());
    // Several versions of a package share a file of the index.
    files.sort();
    files.dedup();
    files
}

/// Returns whether a file is that of the package.
pub fn is_intact(file: &Path, package: &Locked) -> bool {
    let sum = |bytes: Vec<u8>| format!("{:x}", Sha256::digest(bytes));
    fs::read(file).is_ok_and(|bytes| package.checksum.as_ref() == Some(&sum(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_has_folders_by_the_length_of_names() {
        let path = |name: &str| {
            let (name, version) = (name.to_owned(), "1.0.0".to_owned());
            let package = Locked {
                name,
                version,
                checksum: None,
            };
            package.index_path().display().to_string()
        };
        assert_eq!(path("a"), ".cache/1/a");
        assert_eq!(path("nx"), ".cache/2/nx");
        assert_eq!(path("syn"), ".cache/3/s/syn");
        assert_eq!(path("Inflector"), ".cache/in/fl/inflector");
    }
}
