// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs cargo with the settings for one kernel, and collects the archives that it makes.

use std::{collections::BTreeSet, path::Path, sync::Mutex};

use koru_error::{Error, Kind, Result};
use koru_kernels::{Home, KernelTree, Progress};
use koru_sandbox::{Sandbox, Stream};

use crate::{
    Codegen, Module, Sysroot, TARGET, Toolchain,
    artifact::Artifact,
    cargo_messages::Heard,
    cargo_run::{CargoRun, cargo, needs_fetch, unreadable},
    dependency::Dependency,
    lacking_apis::LackingApis,
    module::{KERNEL_PACKAGE, patch_options},
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
    /// The sandbox for crates that are not Koru's own, unless they are trusted.
    pub sandbox: Option<&'a Sandbox>,
}

/// The archives that one module's object is linked from.
#[derive(Debug)]
pub(crate) struct RustObject {
    pub own: Artifact,
    /// The archives of all dependencies, including those of other modules.
    pub dependencies: Vec<Artifact>,
}

impl Cargo<'_> {
    /// Returns the environment in which cargo builds ring-0 crates for this kernel.
    pub fn environment(&self) -> Vec<(String, String)> {
        // Caches may share what they have by links. With real paths, cargo sees no difference.
        let real = |p: &Path| {
            let real = p.canonicalize().unwrap_or_else(|_| p.to_owned());
            real.display().to_string()
        };
        let mut flags = vec![
            "--sysroot".to_owned(),
            real(&self.sysroot.path),
            "--cfg=MODULE".to_owned(),
            // Code may test any CONFIG_*, also those that are off.
            "-Aunexpected_cfgs".to_owned(),
        ];
        flags.extend(self.codegen.for_crates().cloned());
        flags.push(format!("@{}", real(&self.shim.rustc_cfg)));
        flags.push(format!("@{}", real(&self.shim.has)));
        vec![
            ("RUSTC".into(), self.toolchain.rustc.display().to_string()),
            ("RUSTC_BOOTSTRAP".into(), "1".into()),
            ("CARGO_ENCODED_RUSTFLAGS".into(), flags.join("\u{1f}")),
            ("CARGO_BUILD_TARGET".into(), TARGET.into()),
            ("KORU_LAYOUT".into(), real(&self.shim.layout)),
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
        let cargo_run = self.cargo_run(&[module], target_dir);
        let mut command = cargo();
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
        let tree = cargo_run.output(&mut command, &attempted)?;
        // A line is `NAME vVERSION (WHERE)`, and the module itself comes first.
        let package = |line: &str| {
            let mut words = line.split(' ');
            let name = words.next()?.to_owned();
            let version = words.next()?.strip_prefix('v')?.to_owned();
            Some(Dependency { name, version })
        };
        Ok(tree.lines().skip(1).filter_map(package).collect())
    }

    /// Returns how cargo runs on modules of one workspace. Koru's own is trusted.
    fn cargo_run<'a>(&'a self, modules: &[&'a Module], target: &'a Path) -> CargoRun<'a> {
        let workspace = &*modules[0].workspace;
        let shim = [&self.shim.layout, &self.shim.rustc_cfg, &self.shim.has];
        let mut readable = vec![self.sysroot.path.clone()];
        readable.extend(shim.map(|file| file.clone()));
        readable.extend(modules.iter().flat_map(|m| m.readable.iter().cloned()));
        CargoRun {
            home: self.home,
            toolchain: self.toolchain,
            workspace,
            sandbox: self.sandbox.filter(|_| workspace != self.home.root),
            readable,
            target,
        }
    }

    fn run_build(
        &self,
        run: &CargoRun,
        modules: &[&Module],
        attempted: &str,
        colour: bool,
        progress: &dyn Progress,
    ) -> Result<Heard> {
        let mut command = cargo();
        command
            .arg("build")
            .arg("--release")
            .arg("--manifest-path")
            .arg(run.workspace.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(run.target)
            .arg(if colour {
                "--message-format=json-diagnostic-rendered-ansi"
            } else {
                "--message-format=json"
            })
            .args(self.options(run.workspace))
            .envs(self.environment())
            // A wrapper takes precedence over that of the user's settings. `env` only runs the
            // compiler; with an empty one, cargo asks rustc the same questions in every build.
            .env("RUSTC_WRAPPER", "/usr/bin/env")
            .env("RUSTC_WORKSPACE_WRAPPER", "/usr/bin/env")
            .env_remove("RUSTFLAGS")
            .env("CARGO_TERM_COLOR", "never");
        for module in modules {
            command.arg("--package").arg(&module.package);
        }
        let lacking = LackingApis::new(self.home, &self.tree.release, &self.shim.passed()?)?;
        let heard = Mutex::new(Heard::new(colour, lacking));
        let line = |stream: Stream, line: &str| {
            let mut heard = heard.lock().expect("no panic while held");
            match stream {
                Stream::Stdout => heard.message(line, progress),
                Stream::Stderr => heard.text(line, progress),
            }
        };
        let status = run.lines(&mut command, attempted, &line);
        let mut heard = heard.into_inner().expect("no panic while held");
        match status {
            Ok(status) => heard.status = Some(status),
            Err(e) => return Err(e.output(heard.said)),
        }
        Ok(heard)
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
        let names: Vec<&str> = modules.iter().map(|m| m.name.as_str()).collect();
        let attempted = format!("compiling {}", names.join(", "));
        let run = self.cargo_run(modules, target_dir);
        let mut heard = self.run_build(&run, modules, &attempted, colour, progress)?;
        if !heard.success() && needs_fetch(&heard.said) {
            progress.status("fetching dependencies");
            run.fetch(&self.options(workspace))?;
            heard = self.run_build(&run, modules, &attempted, colour, progress)?;
        }
        if !heard.success() {
            if let Some(error) = heard.unfit.error(&names.join(", ")) {
                return Err(error);
            }
            let mut error = Error::new(Kind::Compile, attempted, "the code does not compile")
                .with_hints(heard.lacking_hints());
            let script = "error: failed to run custom build command for ";
            if heard.said.contains(script) {
                // A build script is a part of the sources.
                error.kind = Kind::Link;
                error.message = "a build script failed".to_owned();
                error = error.output(heard.said);
            } else if !heard.compile_error {
                // The code is not at fault: cargo did not get as far as compiling it.
                error.kind = Kind::System;
                let status = heard.status.map(|s| format!(" ({s})"));
                error.message = format!("cargo failed{}", status.unwrap_or_default());
                error.help = unreadable(&heard.said);
                error = error.output(heard.said);
            }
            return Err(error);
        }
        let rlibs = heard.rlibs;
        for rlib in &rlibs {
            rlib.check(target_dir)?;
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
