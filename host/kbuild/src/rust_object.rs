// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs cargo with the settings for one kernel, and collects the archives that it makes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
};

use cargo_metadata::{CompilerMessage, Message, diagnostic::DiagnosticLevel};
use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Home, KernelTree, Progress, run, spawn_error};

use crate::{
    Codegen, Module, Sysroot, TARGET, Toolchain,
    dependency::Dependency,
    module::{KERNEL_PACKAGE, patch_options},
    rust_hints::{Hints, missing_library},
    shim::Shim,
};

/// What cargo needs in addition to the crates: the compiler settings for one kernel.
pub(crate) struct Cargo<'a> {
    pub home: &'a Home,
    pub tree: &'a KernelTree,
    pub toolchain: &'a Toolchain,
    pub codegen: &'a Codegen,
    pub sysroot: &'a Sysroot,
    pub shim: &'a Shim,
}

/// The archives that one module's object is linked from.
#[derive(Debug)]
pub(crate) struct RustObject {
    pub own: Artifact,
    /// The archives of all dependencies, including those of other modules.
    pub dependencies: Vec<Artifact>,
}

/// A crate that cargo has compiled for the kernel.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// The crate's package.
    pub dependency: Dependency,
    /// The name of the library.
    pub name: String,
    pub rlib: PathBuf,
    /// The source file of the crate's root.
    pub root: PathBuf,
}

impl Artifact {
    fn of(artifact: cargo_metadata::Artifact) -> Option<Artifact> {
        let rlib = artifact.filenames.iter().find(|f| {
            f.extension() == Some("rlib") && f.components().any(|c| c.as_str() == TARGET)
        })?;
        Some(Artifact {
            dependency: package(&artifact.package_id.repr)?,
            name: artifact.target.name.replace('-', "_"),
            rlib: rlib.clone().into(),
            root: artifact.target.src_path.into(),
        })
    }

    /// Returns the files that the crate was compiled from.
    pub fn sources(&self, workspace: &Path) -> Result<Vec<PathBuf>> {
        // `NAME-HASH.d` is next to `libNAME-HASH.rlib`.
        let stem = self.rlib.file_stem().and_then(|n| n.to_str());
        let stem = stem.and_then(|n| n.strip_prefix("lib")).unwrap_or_default();
        let info = self.rlib.with_file_name(format!("{stem}.d"));
        let text = fs::read_to_string(&info).path_context("reading", &info)?;
        let files = sources_in(&text).into_iter();
        Ok(files.map(|file| workspace.join(file)).collect())
    }
}

/// Parses a package id: `SOURCE#NAME@VERSION`, or `SOURCE/NAME#VERSION`.
fn package(id: &str) -> Option<Dependency> {
    let (source, rest) = id.rsplit_once('#')?;
    let (name, version) = rest
        .split_once('@')
        .unwrap_or((source.rsplit('/').next()?, rest));
    Some(Dependency {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// Returns the sources in a dep-info file of rustc, which has make's form: `OUTPUT: SOURCE
/// SOURCE ..`, with a line for each output.
fn sources_in(dep_info: &str) -> Vec<String> {
    let first = dep_info.lines().next().unwrap_or_default();
    let files = first.split_once(": ").map_or("", |(_, files)| files);
    // A blank in a path is preceded by a backslash.
    let files = files.replace("\\ ", "\0");
    let files = files.split(' ').filter(|f| !f.is_empty());
    files.map(|f| f.replace('\0', " ")).collect()
}

impl Cargo<'_> {
    /// Returns the environment in which cargo builds ring-0 crates for this kernel.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut flags = vec![
            "--sysroot".to_owned(),
            self.sysroot.path.display().to_string(),
            "--cfg=MODULE".to_owned(),
            // Code may test any CONFIG_*, also those that are off.
            "-Aunexpected_cfgs".to_owned(),
        ];
        flags.extend(self.codegen.for_crates().cloned());
        if let Some(cfg) = self.tree.rustc_cfg() {
            flags.push(format!("@{}", cfg.display()));
        }
        let path = |p: &Path| p.display().to_string();
        vec![
            ("RUSTC".into(), path(&self.toolchain.rustc)),
            ("RUSTC_BOOTSTRAP".into(), "1".into()),
            ("CARGO_ENCODED_RUSTFLAGS".into(), flags.join("\u{1f}")),
            ("CARGO_BUILD_TARGET".into(), TARGET.into()),
            ("KORU_LAYOUT".into(), path(&self.shim.layout)),
        ]
    }

    /// Returns the options that every cargo call on `workspace` needs.
    pub fn options(&self, workspace: &Path) -> Vec<String> {
        // Koru's own workspace names the kernel crate by its path.
        if workspace == self.home.root {
            Vec::new()
        } else {
            patch_options(self.home)
        }
    }

    /// Returns all crates that a module is compiled with, except those that only the `kernel`
    /// crate needs.
    pub fn dependencies(&self, module: &Module, target_dir: &Path) -> Result<BTreeSet<Dependency>> {
        let mut command = Command::new("cargo");
        command
            .args(["tree", "--target", TARGET])
            .arg("--manifest-path")
            .arg(module.workspace.join("Cargo.toml"))
            .args(["--package", &module.package, "--prune", KERNEL_PACKAGE])
            .args(["--edges", "normal,no-proc-macro"])
            .args(["--prefix", "none", "--format", "{p}", "--offline"])
            .args(self.options(&module.workspace))
            .envs(self.environment())
            .env("CARGO_TARGET_DIR", target_dir)
            .env("CARGO_TERM_COLOR", "never");
        let attempted = format!("asking cargo for the dependencies of {}", module.name);
        let tree = run(&mut command, &attempted)?;
        // A line is `NAME vVERSION (WHERE)`, and the module itself comes first.
        let package = |line: &str| {
            let mut words = line.split(' ');
            let name = words.next()?.to_owned();
            let version = words.next()?.strip_prefix('v')?.to_owned();
            Some(Dependency { name, version })
        };
        Ok(tree.stdout.lines().skip(1).filter_map(package).collect())
    }

    /// Compiles `modules`, all of one workspace, in one cargo run.
    pub fn build(
        &self,
        modules: &[&Module],
        target_dir: &Path,
        colour: bool,
        progress: &dyn Progress,
    ) -> Result<Vec<RustObject>> {
        let workspace = &modules[0].workspace;
        let mut command = Command::new("cargo");
        command
            .arg("build")
            .arg("--release")
            .arg("--manifest-path")
            .arg(workspace.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(target_dir)
            .arg(if colour {
                "--message-format=json-diagnostic-rendered-ansi"
            } else {
                "--message-format=json"
            })
            .args(self.options(workspace))
            .envs(self.environment())
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("RUSTFLAGS")
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for module in modules {
            command.arg("--package").arg(&module.package);
        }
        let mut child = command
            .spawn()
            .map_err(|e| spawn_error(&command, "compiling", e))?;
        let stderr = child.stderr.take().expect("piped");
        let stdout = child.stdout.take().expect("piped");
        let said = Mutex::new(String::new());
        let mut rlibs: Vec<Artifact> = Vec::new();
        let mut compile_error = false;
        let mut hints = Hints::default();
        let mut unfit = Unfit::default();
        std::thread::scope(|s| {
            s.spawn(|| {
                for line in BufReader::new(stderr).lines().map_while(|l| l.ok()) {
                    if line.trim_start().starts_with("Compiling") {
                        progress.status(line.trim());
                    }
                    let mut said = said.lock().expect("no panic while held");
                    said.push_str(&line);
                    said.push('\n');
                }
            });
            for message in Message::parse_stream(BufReader::new(stdout)).map_while(|m| m.ok()) {
                match message {
                    Message::CompilerMessage(m) if is_about_flags(&m.message) => {}
                    // One missing library makes many errors in a dependency.
                    Message::CompilerMessage(m) if unfit.is_about(&m) => {}
                    Message::CompilerMessage(m) => {
                        let hint = hints.once(&m.message);
                        compile_error |= matches!(
                            m.message.level,
                            DiagnosticLevel::Error | DiagnosticLevel::Ice
                        );
                        if let Some(text) = m.message.rendered {
                            progress.print(text.trim_end());
                        }
                        if let Some(hint) = hint {
                            let (bold, plain) = match colour {
                                true => ("\x1b[1m", "\x1b[0m"),
                                false => ("", ""),
                            };
                            progress.print(&format!("{bold}help{plain}: {hint}\n"));
                        }
                    }
                    Message::CompilerArtifact(a) => rlibs.extend(Artifact::of(a)),
                    _ => {}
                }
            }
        });
        let status = child
            .wait()
            .map_err(|e| spawn_error(&command, "compiling", e))?;
        let names: Vec<&str> = modules.iter().map(|m| m.name.as_str()).collect();
        if !status.success() {
            if let Some(error) = unfit.error(&names.join(", ")) {
                return Err(error);
            }
            let mut error = Error::new(
                Kind::Compile,
                format!("compiling {}", names.join(", ")),
                "the code does not compile",
            );
            if !compile_error {
                // The code is not at fault: cargo did not get as far as compiling it.
                error.kind = Kind::System;
                error.message = format!("cargo failed ({status})");
                error = error.output(said.into_inner().expect("no panic while held"));
            }
            return Err(error);
        }
        modules
            .iter()
            .map(|module| {
                let own = rlibs.iter().find(|a| a.name == module.name);
                let own = own.ok_or_else(|| {
                    Error::new(
                        Kind::Link,
                        format!("compiling {}", module.name),
                        "cargo built no library of this name",
                    )
                    .help("a module's library has its package's name: remove `name` from [lib]")
                })?;
                Ok(RustObject {
                    own: own.clone(),
                    dependencies: rlibs
                        .iter()
                        .filter(|a| !modules.iter().any(|m| m.name == a.name))
                        .cloned()
                        .collect(),
                })
            })
            .collect()
    }
}

/// The dependencies that need a library which modules do not have.
#[derive(Default)]
struct Unfit(BTreeMap<String, (Dependency, &'static str, bool)>);

impl Unfit {
    /// Returns whether a message is an error of a dependency that needs `std` or `alloc`.
    fn is_about(&mut self, message: &CompilerMessage) -> bool {
        let id = &message.package_id.repr;
        // Packages in folders are the user's own, and Koru's.
        if id.starts_with("path+") || message.message.level == DiagnosticLevel::Warning {
            return false;
        }
        if self.0.contains_key(id) {
            return true;
        }
        let (Some(library), Some(package)) = (missing_library(&message.message), package(id))
        else {
            return false;
        };
        let has_feature = has_std_feature(message.target.src_path.as_std_path());
        self.0.insert(id.clone(), (package, library, has_feature));
        true
    }

    fn error(&self, modules: &str) -> Option<Error> {
        let (first, library, has_feature) = self.0.values().next()?;
        let needs = self.0.values().map(|(package, library, _)| {
            format!("`{} v{}` needs `{library}`", package.name, package.version)
        });
        let needs: Vec<String> = needs.collect();
        let help = match has_feature {
            true => format!(
                "it has a feature for that, which is on by default: {} = {{ version = \"{}\", \
                 default-features = false }}",
                first.name, first.version
            ),
            false => format!(
                "`cargo tree --invert {}` says what depends on it; look for a crate without \
                 `{library}`, or for its functions in the `kernel` crate",
                first.name
            ),
        };
        let dependency = if needs.len() == 1 {
            "dependency"
        } else {
            "dependencies"
        };
        Some(
            Error::new(
                Kind::Link,
                format!("compiling {modules}"),
                format!(
                    "the {dependency} {}, which a module does not have",
                    needs.join(", ")
                ),
            )
            .help(help),
        )
    }
}

/// Returns whether the crate with this root has `std` or `alloc` among its default features.
fn has_std_feature(root: &Path) -> bool {
    let mut manifests = root.ancestors().map(|dir| dir.join("Cargo.toml"));
    let text = manifests.find_map(|manifest| fs::read_to_string(manifest).ok());
    let text = text.unwrap_or_default();
    let default = text
        .split_once("\ndefault = [")
        .and_then(|(_, rest)| rest.split_once(']'));
    default.is_some_and(|(list, _)| list.contains("\"std\"") || list.contains("\"alloc\""))
}

/// Returns whether a warning is about the compiler's flags. rustc warns about every LLVM
/// feature for which it has no name yet, such as those against straight-line speculation; Koru
/// sets these flags, not the user.
fn is_about_flags(diagnostic: &cargo_metadata::diagnostic::Diagnostic) -> bool {
    diagnostic.level == DiagnosticLevel::Warning
        && diagnostic.spans.is_empty()
        && diagnostic.message.contains("`-Ctarget-feature`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_in_all_forms() {
        let of = |id: &str| package(id).map(|p| format!("{} {}", p.name, p.version));
        for (id, wanted) in [
            ("path+file:///w/modules/hello#0.1.0", "hello 0.1.0"),
            (
                "path+file:///w/kernel/kernel#koru-kernel@0.1.0",
                "koru-kernel 0.1.0",
            ),
            (
                "registry+https://index#itoa@1.0.18+meta",
                "itoa 1.0.18+meta",
            ),
        ] {
            assert_eq!(of(id).as_deref(), Some(wanted));
        }
        assert_eq!(of("hello"), None);
    }

    #[test]
    fn sources_of_a_crate() {
        let text = "/t/a.d: src/lib.rs /r/with\\ blank/b.rs\n\n/t/a.rlib: src/lib.rs x.rs\n";
        assert_eq!(sources_in(text), ["src/lib.rs", "/r/with blank/b.rs"]);
        assert!(sources_in("").is_empty());
        assert!(sources_in("/t/a.d: \n").is_empty());
    }
}
