// SPDX-License-Identifier: MIT OR Apache-2.0

//! The paths of Koru's own sources and of its cache.

use std::{env, path::PathBuf};

use koru_error::{Error, IoContext, Kind, Result};

/// The paths of Koru's own sources and of the folder for what Koru makes.
#[derive(Debug, Clone)]
pub struct Home {
    /// The checkout: `kernel/`, `modules/`, ...
    pub root: PathBuf,
    /// The cache: `$KORU_CACHE`, otherwise `koru` in the user's cache folder.
    pub cache: PathBuf,
}

impl Home {
    pub fn find() -> Result<Home> {
        // This program was built on the user's machine from this checkout, so the path is
        // right. The bootstrap script sets the variable in case the folder has moved.
        let root = env::var_os("KORU_ROOT")
            .map(PathBuf::from)
            .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.."));
        let root = root.canonicalize().unwrap_or(root);
        if !root.join("kernel/shim/shim.h").is_file() {
            return Err(Error::new(
                Kind::Missing,
                "looking for Koru's own sources",
                format!("{} is not a checkout of Koru", root.display()),
            )
            .help("run the `koru` script of the checkout, or set KORU_ROOT to it"));
        }
        let cache = match env::var_os("KORU_CACHE").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => match (env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")) {
                (Some(dir), _) if !dir.is_empty() => PathBuf::from(dir).join("koru"),
                (_, Some(home)) => PathBuf::from(home).join(".cache/koru"),
                _ => {
                    return Err(Error::new(
                        Kind::Missing,
                        "looking for a cache folder",
                        "neither HOME nor XDG_CACHE_HOME is set",
                    )
                    .help("set KORU_CACHE to a folder that Koru may fill"));
                }
            },
        };
        // Tools are started in other folders.
        let cache = std::path::absolute(&cache).path_context("finding the cache", &cache)?;
        Ok(Home { root, cache })
    }
}
