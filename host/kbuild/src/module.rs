// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the module crates that the user names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Home, Key, nearest, run};

use crate::{
    cargo_run::{cargo, metadata_command},
    supported_kernels::SupportedKernels,
    usable_target_dir,
    work_copy::beside,
};

/// A module crate: a package that depends on the `kernel` crate.
#[derive(Debug, Clone)]
pub struct Module {
    /// The module's name as the kernel knows it (with `_`, never `-`).
    pub name: String,
    /// The cargo package's name.
    pub package: String,
    pub dir: PathBuf,
    pub workspace: PathBuf,
    pub target_dir: PathBuf,
    /// The files in C that are part of the module.
    pub c: CFiles,
    /// The kernels that it supports, if its Cargo.toml says so.
    pub kernels: Option<SupportedKernels>,
    /// What the build may read beside the workspace and what `c` is compiled from.
    pub readable: Vec<PathBuf>,
}

impl Module {
    /// Returns why it does not support a kernel of this release, if its Cargo.toml says so.
    pub fn refusal(&self, release: &str) -> Option<String> {
        let kernels = self.kernels.as_ref()?;
        (!kernels.include(release)).then(|| kernels.refusal())
    }
}

/// The files in C of a module that is mostly in Rust.
#[derive(Debug, Clone, Default)]
pub struct CFiles {
    /// The folder of the files and of their headers.
    pub dir: PathBuf,
    /// The names of the files.
    pub names: Vec<String>,
    /// The compiler's flags for the files.
    pub flags: Vec<String>,
}

impl CFiles {
    /// Adds everything that is compiled to a key.
    pub(crate) fn add_to(&self, mut key: Key) -> Result<Key> {
        for file in self.files() {
            key = key.add_file(&file)?;
        }
        Ok(self.flags.iter().fold(key, |key, flag| key.with(flag)))
    }

    /// Copies the files and their headers to a folder for Kbuild, and returns the lines of the
    /// Kbuild file for them.
    pub(crate) fn copy_to(&self, dir: &Path, module: &str) -> Result<String> {
        for file in self.files() {
            let inside = file.strip_prefix(&self.dir).unwrap_or(&file);
            let copy = dir.join(inside);
            let folder = copy.parent().unwrap_or(dir);
            fs::create_dir_all(folder).path_context("making", folder)?;
            fs::copy(&file, &copy).path_context("copying", &file)?;
        }
        if self.names.is_empty() {
            return Ok(String::new());
        }
        let objects = self.names.iter().filter_map(|name| name.strip_suffix(".c"));
        let objects: Vec<String> = objects.map(|name| format!("{name}.o")).collect();
        let flags = self.flags.iter().map(String::as_str);
        let flags: Vec<&str> = flags.filter(|flag| is_harmless(flag)).collect();
        Ok(format!(
            "{module}-y := {}\nccflags-y := {}\n",
            objects.join(" "),
            flags.join(" ")
        ))
    }

    /// Returns the files in C and all headers beside them.
    fn files(&self) -> Vec<PathBuf> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let mut files: Vec<PathBuf> = self.names.iter().map(|name| self.dir.join(name)).collect();
        files.extend(beside(&self.dir, "h"));
        files.sort();
        files
    }
}

/// Returns whether a flag can be passed to make and the compiler as it is: it runs nothing, not
/// even a plugin.
fn is_harmless(flag: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@=,".contains(c);
    let known = ["-D", "-U", "-I", "-O", "-g", "-std=", "-f", "-W"];
    let runs = ["-fplugin", "-Wl,", "-Wa,", "-Wp,"];
    flag.chars().all(plain)
        && known.iter().any(|begin| flag.starts_with(begin))
        && !runs.iter().any(|begin| flag.starts_with(begin))
}

/// The package name of the `kernel` crate.
pub const KERNEL_PACKAGE: &str = "koru-kernel";

/// The packages that a module's Cargo.toml names and that are found in this checkout, and where.
pub const PATCHED: [(&str, &str); 2] = [
    (KERNEL_PACKAGE, "kernel/kernel"),
    ("koru-testing", "guest/testing"),
];

/// Koru's own packages that become part of a module.
pub(crate) const OURS: [&str; 2] = [KERNEL_PACKAGE, "koru-pin-init"];

/// Returns the modules that `names` refer to, seen from the folder `here`: a folder or a
/// `Cargo.toml`, a module of the workspace around `here`, or one of Koru's own. Without names,
/// it returns the module of `here`, or all modules of its workspace.
pub fn find_modules(home: &Home, here: &Path, names: &[String]) -> Result<Vec<Module>> {
    let around = manifest_above(here).map(|m| read(home, &m)).transpose()?;
    if names.is_empty() {
        let around = around.ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "looking for a module to build",
                format!("there is no Cargo.toml in {} or above", here.display()),
            )
            .help("name a module, go into its folder, or make one: `koru new NAME`")
        })?;
        let mine: Vec<Module> = around
            .iter()
            .filter(|m| here.starts_with(&m.dir))
            .cloned()
            .collect();
        let found = if mine.is_empty() { around } else { mine };
        if found.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                "looking for a module to build",
                format!("no package here depends on `{KERNEL_PACKAGE}`"),
            )
            .help("name a module, or make one: `koru new NAME`"));
        }
        return Ok(found);
    }
    let mut known = around.unwrap_or_default();
    if known.iter().all(|m| m.workspace != home.root) {
        known.extend(read(home, &home.root.join("Cargo.toml"))?);
    }
    known.sort_by(|a, b| a.dir.cmp(&b.dir));
    known.dedup_by(|a, b| a.dir == b.dir);
    let mut found: Vec<Module> = Vec::new();
    for name in names {
        let module = one(home, here, name, &known)?;
        if !found.iter().any(|m| m.dir == module.dir) {
            found.push(module);
        }
    }
    Ok(found)
}

fn one(home: &Home, here: &Path, name: &str, known: &[Module]) -> Result<Module> {
    // A plain name means a module rather than a folder, so `hello` does not depend on which
    // folders are nearby.
    let as_name = name.replace('-', "_");
    if let Some(module) = known.iter().find(|m| m.name == as_name) {
        return Ok(module.clone());
    }
    let path = here.join(name);
    let manifest = if path.is_dir() {
        path.join("Cargo.toml")
    } else {
        path
    };
    if manifest.is_file() && manifest.ends_with("Cargo.toml") {
        let dir = manifest
            .parent()
            .and_then(|d| d.canonicalize().ok())
            .unwrap_or_default();
        return read(home, &manifest)?
            .into_iter()
            .find(|m| m.dir == dir)
            .ok_or_else(|| {
                Error::new(
                    Kind::Usage,
                    format!("looking for a module in {}", dir.display()),
                    format!("its package does not depend on `{KERNEL_PACKAGE}`"),
                )
                .help("`koru new NAME` writes a Cargo.toml to compare with")
            });
    }
    // Modules that exist for tests are found, but not suggested.
    let tests = home.root.join("tests");
    let names: Vec<&str> = known
        .iter()
        .filter(|m| !m.dir.starts_with(&tests))
        .map(|m| m.name.as_str())
        .collect();
    let near = nearest(name, names.iter().copied());
    Err(Error::new(
        Kind::Usage,
        format!("looking for the module `{name}`"),
        "there is none of this name, and no such folder",
    )
    .help(if near.is_empty() {
        format!("there are: {}", names.join(", "))
    } else {
        format!("did you mean {}?", near.join(" or "))
    }))
}

/// Returns all modules of the workspace with this root folder.
pub fn workspace_modules(home: &Home, workspace: &Path) -> Result<Vec<Module>> {
    read(home, &workspace.join("Cargo.toml"))
}

/// Returns the root folder of the cargo workspace that a package belongs to.
pub fn workspace_of(package: &Path) -> Result<PathBuf> {
    let manifest = package.join("Cargo.toml");
    let mut cargo = cargo();
    cargo
        .args(["locate-project", "--workspace", "--message-format=plain"])
        .arg("--manifest-path")
        .arg(&manifest);
    let run = run(&mut cargo, &format!("reading {}", manifest.display()))?;
    let root = Path::new(run.stdout.trim()).parent();
    Ok(root.unwrap_or(package).to_path_buf())
}

fn manifest_above(here: &Path) -> Option<PathBuf> {
    here.ancestors()
        .map(|d| d.join("Cargo.toml"))
        .find(|m| m.is_file())
}

/// Runs `cargo metadata` on a manifest.
pub(crate) fn metadata(command: &MetadataCommand, manifest: &Path) -> Result<Metadata> {
    command.exec().map_err(|e| {
        Error::new(
            Kind::Usage,
            format!("reading {}", manifest.display()),
            "cargo cannot read it",
        )
        .output(e.to_string())
    })
}

fn read(home: &Home, manifest: &Path) -> Result<Vec<Module>> {
    let mut command = metadata_command(manifest);
    command.no_deps().other_options(patch_options(home));
    let metadata = metadata(&command, manifest)?;
    let is_module = |p: &&Package| {
        p.dependencies.iter().any(|d| d.name == KERNEL_PACKAGE)
            && p.targets.iter().any(|t| t.is_lib())
    };
    let module = |p: &Package| {
        let manifest = p.manifest_path.as_std_path();
        Ok(Module {
            name: p.name.replace('-', "_"),
            package: p.name.to_string(),
            dir: manifest
                .parent()
                .expect("a manifest is in a folder")
                .to_owned(),
            workspace: metadata.workspace_root.clone().into_std_path_buf(),
            target_dir: usable_target_dir(home, metadata.target_directory.as_std_path()),
            c: CFiles::default(),
            kernels: SupportedKernels::of(manifest)?,
            readable: Vec::new(),
        })
    };
    let modules = metadata.packages.iter().filter(is_module);
    modules.map(module).collect()
}

/// Returns the options that make `koru-kernel = "0.1"` in a module's Cargo.toml refer to this
/// checkout, wherever both are.
pub fn patch_options(home: &Home) -> Vec<String> {
    let options = PATCHED.into_iter().flat_map(|(package, path)| {
        [
            "--config".to_owned(),
            format!("patch.crates-io.{package}.path={:?}", home.root.join(path)),
        ]
    });
    options.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_run_nothing() {
        for flag in [
            "-DX=1",
            "-I/home/a/include",
            "-Wno-unused",
            "-O2",
            "-fno-inline",
        ] {
            assert!(is_harmless(flag), "{flag}");
        }
        for flag in [
            "$(shell id)",
            "-DX=`id`",
            "-fplugin=./x.so",
            "-B.",
            "-specs=x",
            "-wrapper",
            "-Wp,-x",
            "-DX=$(id)",
            "x;y",
        ] {
            assert!(!is_harmless(flag), "{flag}");
        }
    }
}
