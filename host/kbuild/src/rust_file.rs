// SPDX-License-Identifier: MIT OR Apache-2.0

//! Modules of one Rust file, and perhaps some in C, written as for the kernel's own tree: without
//! a Cargo.toml, and without the attributes that the kernel's own build adds.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use koru_error::{IoContext, Result};
use koru_kernels::{Cache, write_atomically};

use crate::{
    KERNEL_PACKAGE, Module,
    module::CFiles,
    paths::{module_name, repository},
    work_copy::{beside, home_of, modules_dir},
};

/// The unstable features that upstream's build turns on for modules, as far as code without
/// `unsafe` is sound with them.
const FEATURES: &str = "arbitrary_self_types,asm_goto,used_with_arg";

/// A module of one Rust file. The file may have modules in other files.
#[derive(Debug, Clone)]
pub struct RustFile {
    /// The file with the module's root.
    pub path: PathBuf,
    /// The name of the module, if it is not that of the file.
    pub name: Option<String>,
    /// The files in C that are part of the module.
    pub c: CFiles,
}

impl RustFile {
    /// Returns the module that consists of one file.
    pub fn new(path: PathBuf) -> RustFile {
        RustFile {
            path,
            name: None,
            c: CFiles::default(),
        }
    }

    /// Returns the name of the module: as with Kbuild, that of the file unless it has several.
    pub fn name(&self) -> String {
        let own = || module_name(&self.path);
        self.name.clone().unwrap_or_else(own)
    }

    /// Returns the files that the module may consist of: those in Rust and in C beside it, and
    /// those in the folders of its modules.
    pub fn watched(&self) -> Vec<PathBuf> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let of = |ending| beside(folder, ending);
        [rust_files(folder), of("c"), of("h")].concat()
    }

    /// Returns what a build of this file reads: the repository around it, or the folder whose Kbuild
    /// names it. One file may well be in a home folder, which is nobody's business, so then only the
    /// files are named that can belong to it.
    fn readable(&self, path: &Path) -> Vec<PathBuf> {
        let folder = path.parent().unwrap_or(path);
        if let Some(repository) = repository(folder) {
            return vec![repository.to_owned()];
        }
        if self.name.is_some() {
            return vec![folder.to_owned()];
        }
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let folders = entries.map(|e| e.path()).filter(|p| p.is_dir());
        // `mod x;` is in x.rs or in x/mod.rs, and what is inside of the module x is in x/.
        let is_module =
            |p: &PathBuf| p.join("mod.rs").is_file() || p.with_extension("rs").is_file();
        self.watched()
            .into_iter()
            .chain(folders.filter(is_module))
            .collect()
    }

    /// Returns the folder in the cache for the package of this file.
    pub fn home(&self, cache: &Cache) -> Result<PathBuf> {
        let path = self
            .path
            .canonicalize()
            .path_context("reading", &self.path)?;
        let dir = path.parent().unwrap_or(&path);
        Ok(home_of(cache, dir, path.file_name().map(OsStr::new)))
    }

    /// Makes a package of the file, which stays where it is, and returns that package.
    pub fn package(&self, cache: &Cache) -> Result<Module> {
        let name = self.name();
        let dir = self.home(cache)?;
        let path = self
            .path
            .canonicalize()
            .path_context("reading", &self.path)?;
        let text = fs::read_to_string(&path).path_context("reading", &path)?;
        let mut flags = vec![
            "-Aunused_features".to_owned(),
            "-Astable_features".to_owned(),
            format!("-Zcrate-attr=feature({FEATURES})"),
        ];
        if !text.lines().any(|line| line.trim() == "#![no_std]") {
            flags.push("-Zcrate-attr=no_std".into());
        }
        let manifest = format!(
            "cargo-features = [\"profile-rustflags\"]\n\n\
             [package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [lib]\npath = {:?}\n\n\
             [dependencies]\n{KERNEL_PACKAGE} = \"0.1\"\n\n\
             [profile.release.package.{name:?}]\nrustflags = {flags:?}\n\n\
             [workspace]\n",
            path.display().to_string(),
        );
        let file = dir.join("Cargo.toml");
        // A file that is written again would make cargo compile again.
        if fs::read_to_string(&file).ok().as_deref() != Some(&manifest) {
            write_atomically(&file, manifest.as_bytes())?;
        }
        // The sandbox of root has another user id.
        fs::set_permissions(&file, Permissions::from_mode(0o644)).path_context("writing", &file)?;
        Ok(Module {
            package: name.clone(),
            name,
            // The kernel crate is compiled once for all such files.
            target_dir: modules_dir(cache).join("rust/target"),
            workspace: dir.clone(),
            dir,
            c: self.c.clone(),
            kernels: None,
            readable: self.readable(&path),
        })
    }
}

/// Returns the Rust files of a folder, and those of the folders in it that are modules: `NAME/`
/// with a `mod.rs`, or beside a `NAME.rs`. Other folders are nobody's business: the file may be
/// in a home folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = beside(folder, "rs");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let inner = entry.path();
        // A link may lead up.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_module = || inner.join("mod.rs").is_file() || inner.with_extension("rs").is_file();
        if is_folder && is_module() {
            files.extend(rust_files(&inner));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_modules_in_folders_are_watched() {
        let dir = tempfile::tempdir().unwrap();
        let all = [
            "lab.rs",
            "a/mod.rs",
            "a/b/mod.rs",
            "a/c.rs",
            "d.rs",
            "d/e.rs",
        ];
        for file in all.iter().chain(&["other/x.rs", "other/deep/mod.rs"]) {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut watched = RustFile::new(dir.path().join("lab.rs")).watched();
        let mut expected = all.map(|file| dir.path().join(file));
        watched.sort();
        expected.sort();
        assert_eq!(watched, expected);
    }
}
