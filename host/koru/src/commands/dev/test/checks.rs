// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks that need no guest: format, lints, unit tests, examples.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{Metadata, Package};
use clap::ValueEnum;
use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{Builder, KERNEL_PACKAGE, TARGET, find_modules};
use koru_kernels::KernelTree;

use crate::{
    cli::Check,
    commands::dev::bindings,
    dependencies,
    testing::{binaries::metadata, test_run::TestRun},
};

/// The profile with which the `koru` script builds the program.
const PROFILE: &str = "--profile=program";

impl TestRun<'_> {
    /// Returns cargo's arguments that name the packages of a stage.
    fn packages(&self, stage: Check) -> Result<Vec<String>> {
        let workspace = metadata(self.root())?;
        let members = workspace.workspace_packages().into_iter();
        let chosen = members.filter(|p| stage_of(&workspace, p) == Some(stage));
        Ok(chosen.map(|p| format!("--package={}", p.name)).collect())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args(arguments)
            .current_dir(self.root())
            .env("CARGO_TERM_COLOR", "never");
        cargo
    }

    pub fn format(&self) -> Result<()> {
        let mut cargo = self.cargo(&["fmt", "--all", "--check", "--", "--color=never"]);
        self.command("format", "cargo fmt", &mut cargo)
    }

    pub fn lint(&self) -> Result<()> {
        let mut shellcheck = Command::new("shellcheck");
        shellcheck
            .args(shell_scripts(self.root())?)
            .current_dir(self.root());
        self.command("lint", "shellcheck", &mut shellcheck)?;
        let mut project = self.cargo(&["test", "--locked", PROFILE, "--no-fail-fast"]);
        project.args(self.packages(Check::Lint)?);
        self.libtest("lint", project)?;
        let mut bindings = bindings::command(self.context, true);
        self.command("lint", "bindings are current", &mut bindings)?;
        let mut clippy = self.cargo(&["clippy", "-q", "--locked", PROFILE, "--all-targets"]);
        clippy.args(["--", "-D", "warnings"]);
        self.command("lint", "clippy in user space", &mut clippy)?;
        if self.wanted("clippy in ring 0") {
            let tree = self.tree()?;
            let builder = Builder::new(&self.context.home, &tree, &*self.context.ui)?;
            let mut clippy = self.ring0(&builder, &tree, "check")?;
            let driver = dependencies::clippy_driver(builder.toolchain()).ok_or_else(|| {
                Error::new(
                    Kind::Missing,
                    "running clippy in ring 0",
                    "no clippy-driver",
                )
                .help("koru setup --tests")
            })?;
            clippy
                .env("RUSTC_WORKSPACE_WRAPPER", driver)
                // This is what `cargo clippy -- -D warnings` sets.
                .env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
            self.command("lint", "clippy in ring 0", &mut clippy)?;
        }
        self.documentation()
    }

    /// Returns a cargo command for all ring-0 crates.
    fn ring0(&self, builder: &Builder, tree: &KernelTree, subcommand: &str) -> Result<Command> {
        let mut cargo = self.cargo(&[subcommand, "-q", "--locked", "--release"]);
        cargo
            .args(["-p", KERNEL_PACKAGE, "--target-dir"])
            .arg(self.ring0_target(tree))
            .envs(builder.environment());
        for module in find_modules(&self.context.home, self.root(), &[])? {
            cargo.args(["-p", &module.package]);
        }
        Ok(cargo)
    }

    /// Returns the folder in which `koru build` compiles the modules of the checkout, so that
    /// what they depend on is there.
    fn ring0_target(&self, tree: &KernelTree) -> PathBuf {
        let target = self.root().join("target/koru");
        target.join(&tree.release).join("cargo")
    }

    /// Makes rustdoc check the documentation: its links, its code blocks, its HTML.
    fn documentation(&self) -> Result<()> {
        const WARNINGS: &str = "-Dwarnings";
        let mut user = self.cargo(&["doc", "-q", "--locked", PROFILE, "--no-deps"]);
        user.arg("--document-private-items")
            .env("RUSTDOCFLAGS", WARNINGS);
        self.command("lint", "documentation of user space", &mut user)?;
        if self.wanted("documentation of the kernel crate") {
            let tree = self.tree()?;
            let builder = Builder::new(&self.context.home, &tree, &*self.context.ui)?;
            let mut kernel = self.cargo(&["doc", "-q", "--locked", "--no-deps", "--release"]);
            kernel
                .args(["-p", KERNEL_PACKAGE, "--target-dir"])
                .arg(self.ring0_target(&tree));
            use_rustdoc_of(&builder, &mut kernel, &[WARNINGS]);
            self.command("lint", "documentation of the kernel crate", &mut kernel)?;
        }
        Ok(())
    }

    /// Compiles the examples of the kernel crate, which cannot run here.
    pub fn doc(&self) -> Result<()> {
        if !self.wanted("examples of the kernel crate") {
            return Ok(());
        }
        let tree = self.tree()?;
        let builder = Builder::new(&self.context.home, &tree, &*self.context.ui)?;
        let mut cargo = self.cargo(&["test", "--locked", "--release", "--doc"]);
        cargo
            .args(self.packages(Check::Doc)?)
            .args(["--target", TARGET, "--target-dir"])
            .arg(self.ring0_target(&tree));
        // Nothing is linked, because the examples are for another machine.
        let compile_only = [
            "-Zunstable-options",
            "--no-run",
            "-Clinker=true",
            "-Clinker-flavor=ld",
        ];
        use_rustdoc_of(&builder, &mut cargo, &compile_only);
        self.libtest("doc", cargo)
    }

    /// Checks that code that misuses the kernel crate does not compile, and that its correct
    /// twin does.
    pub fn misuse(&self) -> Result<()> {
        let tree = self.context.kernels.find(None)?;
        // This is prepared here, where progress is shown.
        Builder::new(&self.context.home, &tree, &*self.context.ui)?;
        let mut cargo = self.cargo(&["test", "--locked", PROFILE]);
        cargo
            .args(self.packages(Check::Misuse)?)
            .env("KORU_KERNEL", &tree.release);
        self.libtest("misuse", cargo)
    }

    pub fn unit(&self) -> Result<()> {
        let mut cargo = self.cargo(&["test", "--locked", PROFILE, "--no-fail-fast"]);
        cargo.args(self.packages(Check::Unit)?);
        // Many of these tests wait for a guest, so there is one more than there are processors. A
        // further one finds no processor idle.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        cargo.env("RUST_TEST_THREADS", (processors + 1).to_string());
        // The tests of the guest itself use these variables.
        let context = self.context;
        if let Some(image) = self.tree()?.image {
            cargo
                .env("KORU_TEST_KERNEL", image)
                .env("KORU_TEST_AGENT", dependencies::agent_path()?)
                .env(
                    "KORU_TEST_BUSYBOX",
                    koru_kernels::busybox(&context.cache, &*context.ui)?,
                )
                .env("KORU_TEST_CACHE", context.cache.root().join("guest"));
        }
        self.libtest("unit", cargo)
    }
}

/// Returns the shell scripts of the checkout: those at its top and in `.ci`, and every
/// `*.sh` of a host crate.
fn shell_scripts(root: &Path) -> Result<Vec<PathBuf>> {
    fn add(folder: &Path, scripts: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                add(&path, scripts)?;
            } else if path.extension().is_some_and(|e| e == "sh") {
                scripts.push(path);
            }
        }
        Ok(())
    }
    let mut scripts = ["koru", ".ci/run"].map(|s| root.join(s)).to_vec();
    let host = root.join("host");
    add(&host, &mut scripts).path_context("reading", &host)?;
    Ok(scripts)
}

/// Makes cargo run the rustdoc that belongs to the rustc for ring 0, with the flags for
/// ring 0 and `more`.
fn use_rustdoc_of(builder: &Builder, cargo: &mut Command, more: &[&str]) {
    let environment = builder.environment();
    let flags = environment
        .iter()
        .find(|(name, _)| name == "CARGO_ENCODED_RUSTFLAGS")
        .map(|(_, flags)| flags.as_str());
    let all: Vec<&str> = flags.into_iter().chain(more.iter().copied()).collect();
    let rustdoc = builder.toolchain().rustc.with_file_name("rustdoc");
    cargo
        .env("CARGO_ENCODED_RUSTDOCFLAGS", all.join("\u{1f}"))
        .env("RUSTDOC", rustdoc)
        .envs(environment);
}

/// Returns the stage that runs a package's tests, or `None` if no stage does. A package that
/// does not name its stage is either tested as by plain `cargo test`, or is a module, which
/// the guest tests load.
fn stage_of(workspace: &Metadata, package: &Package) -> Option<Check> {
    let koru = &package.metadata["koru"];
    if let Some(stage) = koru["stage"].as_str() {
        return Check::from_str(stage, false).ok();
    }
    let is_module = package
        .dependencies
        .iter()
        .any(|d| d.name == KERNEL_PACKAGE);
    if koru["guest"] == true || is_module {
        return Some(Check::Guest);
    }
    let default = workspace.workspace_default_packages();
    let is_default = default.iter().any(|p| p.id == package.id);
    is_default.then_some(Check::Unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Metadata {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        metadata(&root).unwrap()
    }

    #[test]
    fn every_package_with_tests_is_in_a_stage() {
        let workspace = workspace();
        let untested = |p: &&&Package| {
            let testable = p.targets.iter().any(|t| t.test || t.doctest);
            testable && stage_of(&workspace, p).is_none()
        };
        let members = workspace.workspace_packages();
        let names: Vec<&str> = members.iter().filter(untested).map(|p| &*p.name).collect();
        assert!(
            names.is_empty(),
            "No stage of `koru test` runs the tests of {names:?}: they belong to the \
             workspace's `default-members`, or name their stage in [package.metadata.koru]."
        );
    }

    #[test]
    fn a_package_is_in_the_stage_that_can_run_it() {
        let workspace = workspace();
        let members = workspace.workspace_packages();
        for (name, stage) in [
            ("koru", Check::Unit),
            ("koru-decode", Check::Unit),
            ("koru-models", Check::Unit),
            ("koru-bench", Check::Unit),
            ("empty", Check::Unit),
            ("koru-conformance", Check::Guest),
            ("koru-guest-tests", Check::Guest),
            ("hello", Check::Guest),
            ("kt_leak", Check::Guest),
            ("koru-kernel", Check::Doc),
            ("koru-misuse", Check::Misuse),
            ("koru-project", Check::Lint),
        ] {
            let package = members.iter().find(|p| p.name == name).unwrap();
            assert_eq!(stage_of(&workspace, package), Some(stage), "{name}");
        }
    }
}
