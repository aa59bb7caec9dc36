// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the rustc to build with, and the library source of exactly its version.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, Kind, Result};
use koru_kernels::{Cache, run, write_atomically};
use serde::{Deserialize, Serialize};

/// A rustc, and the library source of exactly its version.
#[derive(Debug, Clone)]
pub struct Toolchain {
    pub rustc: PathBuf,
    /// The release, such as `1.96.0`.
    pub release: String,
    /// The whole output of `rustc -vV`, for keys.
    pub version: String,
    /// The folder of the compiler's own files.
    sysroot: PathBuf,
    /// The folder that contains `core/src/lib.rs`.
    pub library: PathBuf,
    /// The output of `rustc -Zhelp`: options are looked up there, not guessed from versions.
    unstable_options: String,
}

/// The oldest rustc that upstream's `kernel` crate accepts.
const OLDEST: (u32, u32) = (1, 85);

impl Toolchain {
    /// Returns the newest pair of a rustc and its library source on this machine.
    /// `$KORU_RUSTC` takes precedence over all others.
    pub fn find(cache: &Cache) -> Result<Toolchain> {
        let mut tried = Vec::new();
        let mut found: Vec<Toolchain> = Vec::new();
        let chosen = env::var_os("KORU_RUSTC").map(PathBuf::from);
        for (rustc, info) in ask_all(candidates(), cache) {
            let Some(release) = info.release().map(str::to_owned) else {
                continue;
            };
            match library(&info.sysroot, &release) {
                Some(library) if minor(&release) >= Some(OLDEST) => {
                    let toolchain = Toolchain {
                        rustc: rustc.clone(),
                        release,
                        version: info.version,
                        sysroot: info.sysroot,
                        library,
                        unstable_options: info.unstable_options,
                    };
                    if Some(&rustc) == chosen.as_ref() {
                        return Ok(toolchain);
                    }
                    found.push(toolchain);
                }
                Some(_) => tried.push(format!("{} {release}: too old", rustc.display())),
                None => tried.push(format!(
                    "{} {release}: no library source of this version",
                    rustc.display()
                )),
            }
        }
        found.sort_by_key(|t| minor(&t.release));
        found.pop().ok_or_else(|| {
            let message = if tried.is_empty() {
                "no rustc is installed".to_owned()
            } else {
                tried.join("; ")
            };
            Error::new(
                Kind::Missing,
                "looking for a rustc with its library source",
                message,
            )
            .help(
                "`koru setup` installs a pair; with rustup: `rustup component add rust-src`; \
                 on Debian 12: `apt-get install rustc-web rust-web-src`, \
                 later: `apt-get install rustc rust-src`",
            )
        })
    }

    /// Returns whether this rustc knows the unstable option `name`.
    pub fn has_option(&self, name: &str) -> bool {
        self.unstable_options.lines().any(|line| {
            line.trim_start()
                .strip_prefix("-Z")
                .and_then(|option| option.trim_start().split('=').next())
                == Some(name)
        })
    }

    /// Returns the files and folders that the compiler consists of.
    pub fn files(&self) -> [PathBuf; 3] {
        [&self.rustc, &self.sysroot, &self.library].map(PathBuf::clone)
    }

    /// Returns the first two numbers of the release: `(1, 96)` for `1.96.0`.
    pub fn minor(&self) -> (u32, u32) {
        minor(&self.release).unwrap_or(OLDEST)
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut all = Vec::new();
    all.extend(env::var_os("KORU_RUSTC").map(PathBuf::from));
    for dir in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        all.push(dir.join("rustc"));
    }
    all.push("/usr/bin/rustc".into());
    let rustup = env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|h| PathBuf::from(h).join(".rustup")));
    if let Some(rustup) = rustup {
        let toolchains = fs::read_dir(rustup.join("toolchains"));
        for entry in toolchains.into_iter().flatten().flatten() {
            all.push(entry.path().join("bin/rustc"));
        }
    }
    let mut unique = Vec::new();
    for rustc in all {
        // /bin is the same as /usr/bin. A shim of rustup stands for one of its toolchains,
        // which are candidates themselves.
        let is_shim = rustc.canonicalize().is_ok_and(|p| p.ends_with("rustup"));
        let is_new = !unique.contains(&rustc) && !rustc.starts_with("/bin");
        if rustc.is_file() && is_new && !is_shim {
            unique.push(rustc);
        }
    }
    unique
}

/// What a rustc reports about itself.
#[derive(Clone, Serialize, Deserialize)]
struct RustcInfo {
    /// The fingerprint of the rustc: length, time, inode.
    file: (u64, i64, i64, u64),
    version: String,
    sysroot: PathBuf,
    unstable_options: String,
}

impl RustcInfo {
    fn release(&self) -> Option<&str> {
        let mut lines = self.version.lines();
        lines.find_map(|l| l.strip_prefix("release: "))
    }
}

/// Asks each rustc, except those whose files have answered before: starting a rustc takes as
/// long as everything else in a build without changes.
fn ask_all(candidates: Vec<PathBuf>, cache: &Cache) -> BTreeMap<PathBuf, RustcInfo> {
    let cache_file = cache.root().join("rustc.json");
    let cached: BTreeMap<PathBuf, RustcInfo> = fs::read(&cache_file)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let mut changed = false;
    let infos: BTreeMap<PathBuf, RustcInfo> = candidates
        .into_iter()
        .filter_map(|rustc| {
            let meta = fs::metadata(&rustc).ok()?;
            let file = (meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ino());
            let info = match cached.get(&rustc) {
                Some(info) if info.file == file => info.clone(),
                _ => {
                    changed = true;
                    ask(&rustc, file)?
                }
            };
            Some((rustc, info))
        })
        .collect();
    if changed {
        // If this fails, the next call asks again.
        let _ = serde_json::to_vec(&infos).map(|text| write_atomically(&cache_file, &text));
    }
    infos
}

fn ask(rustc: &Path, file: (u64, i64, i64, u64)) -> Option<RustcInfo> {
    let answer = |arguments: &[&str], what: &str| {
        let mut command = Command::new(rustc);
        command.args(arguments).env("RUSTC_BOOTSTRAP", "1");
        let run = run(&mut command, &format!("asking rustc for its {what}"));
        run.ok().map(|r| r.stdout)
    };
    Some(RustcInfo {
        file,
        version: answer(&["-vV"], "version")?,
        sysroot: answer(&["--print", "sysroot"], "sysroot")?.trim().into(),
        unstable_options: answer(&["-Zhelp"], "options")?,
    })
}

fn library(sysroot: &Path, release: &str) -> Option<PathBuf> {
    [
        // The component rust-src of rustup belongs to its toolchain.
        sysroot.join("lib/rustlib/src/rust/library"),
        // Debian's rust-src packages carry the version in their path.
        PathBuf::from(format!("/usr/src/rustc-{release}/library")),
    ]
    .into_iter()
    .find(|l| l.join("core/src/lib.rs").is_file())
}

fn minor(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
