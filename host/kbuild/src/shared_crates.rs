// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles the `kernel` crate once for each kernel, and gives every new workspace a copy.
//!
//! cargo compiles dependencies for each target folder anew, which takes 20 s for the `kernel`
//! crate and its macros. Its hashes of a dependency do not depend on the workspace, and a target
//! folder may be copied. So a package without code of its own is built in the cache, and the
//! outputs are where a new workspace begins. What does not fit (another version, another profile)
//! is compiled as usual.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{IoContext, Result};
use koru_kernels::{Lock, Progress, run, write_atomically};

use crate::{KERNEL_PACKAGE, Module, module::CFiles, rust_object::Cargo};

/// The name of the package without code of its own.
const NAME: &str = "koru_shared";

impl Cargo<'_> {
    /// Fills cargo's folder for a workspace, unless it exists, with what can be used again.
    ///
    /// Failing to do so only costs time, so it is told and no error.
    pub fn begin(&self, workspace: &Path, cargo_dir: &Path, progress: &dyn Progress) {
        let lock = workspace.join("Cargo.lock");
        if !lock.exists() && !lock.is_symlink() {
            // cargo keeps the versions that it finds, and removes what the workspace does not use.
            let _ = fs::copy(self.home.root.join("Cargo.lock"), lock);
        }
        if cargo_dir.exists() {
            return;
        }
        // In Koru's own workspace, the `kernel` crate is a member, which has another hash.
        let copied = match workspace == self.home.root {
            true => copy_host_artifacts(cargo_dir, Some(&self.home.root.join("target/koru"))),
            false => self.copy_shared(cargo_dir, progress),
        };
        if let Err(e) = copied {
            progress.print(&format!(
                "note: the kernel crate is compiled again: {}",
                e.message
            ));
        }
    }

    fn copy_shared(&self, cargo_dir: &Path, progress: &dyn Progress) -> Result<()> {
        // Each kernel has a package of its own: cargo does not lock a package, and writes to it.
        let dir = self.home.cache.join("crates").join(&self.tree.release);
        let shared = dir.join("cargo");
        let _lock = Lock::take(&dir, "build", "compiling the kernel crate", progress)?;
        let module = self.shared_package(dir)?;
        if !shared.exists() {
            // What another koru changes while this reads it is compiled here.
            let _ = copy_host_artifacts(&shared, None);
        }
        // These crates are Koru's own, and those that Koru itself uses.
        let trusting = Cargo {
            sandbox: None,
            ..*self
        };
        trusting.build(&[&module], &shared, false, progress)?;
        copy_into(cargo_dir, &[shared.join(".")])
    }

    /// Writes the package to `dir`. It has the versions with which Koru is tested.
    fn shared_package(&self, dir: PathBuf) -> Result<Module> {
        let manifest = format!(
            "[package]\nname = {NAME:?}\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [dependencies]\n{KERNEL_PACKAGE} = \"0.1\"\n\n[workspace]\n"
        );
        let lock = self.home.root.join("Cargo.lock");
        let lock = fs::read(&lock).path_context("reading", &lock)?;
        write_atomically(&dir.join("Cargo.lock"), &lock)?;
        write_atomically(&dir.join("Cargo.toml"), manifest.as_bytes())?;
        let root = dir.join("src/lib.rs");
        if !root.exists() {
            write_atomically(&root, b"#![no_std]\n")?;
        }
        Ok(Module {
            name: NAME.into(),
            package: NAME.into(),
            target_dir: dir.join("target"),
            workspace: dir.clone(),
            dir,
            c: CFiles::default(),
            kernels: None,
            readable: Vec::new(),
        })
    }
}

/// Makes cargo's folder for a kernel with what it has compiled for this machine in the folder of
/// another kernel: procedural macros and what they use, which are the same for every kernel.
/// The folders of kernels are beside it, or else in `elsewhere`.
fn copy_host_artifacts(cargo_dir: &Path, elsewhere: Option<&Path>) -> Result<()> {
    let beside = cargo_dir.parent().and_then(Path::parent);
    let kernels = beside.into_iter().chain(elsewhere).map(fs::read_dir);
    let kernels = kernels.flatten().flatten().flatten();
    let mut others = kernels.map(|kernel| kernel.path().join("cargo"));
    match others.find(|other| other.join("release").is_dir()) {
        Some(other) => copy_into(
            cargo_dir,
            &["release", ".rustc_info.json"].map(|name| other.join(name)),
        ),
        None => Ok(()),
    }
}

/// Makes a folder with copies of `entries`, either completely or not at all. cargo goes by the
/// times of files, so the copies have those of their originals.
fn copy_into(folder: &Path, entries: &[PathBuf]) -> Result<()> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).path_context("making", parent)?;
    let staging = tempfile::Builder::new()
        .prefix(".cargo.")
        .tempdir_in(parent)
        .path_context("making a folder in", parent)?;
    run(
        Command::new("cp")
            .args(["--archive", "--reflink=auto", "--"])
            .args(entries)
            .arg(staging.path()),
        &format!("making {}", folder.display()),
    )?;
    fs::rename(staging.path(), folder).path_context("renaming to", folder)?;
    let _ = staging.keep();
    Ok(())
}
