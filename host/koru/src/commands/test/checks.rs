//! Checks that need no guest: format, lints, unit tests, examples.

use std::{path::Path, process::Command};

use koru_error::{Error, Kind, Result};
use koru_kbuild::{Builder, TARGET, find_modules};
use koru_kernels::KernelTree;

use super::stage::Run;
use crate::{commands::bindings, dependencies, testing::binaries::metadata};

impl Run<'_> {
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
        let scripts = [
            "koru",
            ".ci/bare",
            ".ci/run",
            "host/session/src/ssh.sh",
            "host/build/src/import.sh",
        ];
        let mut shellcheck = Command::new("shellcheck");
        shellcheck.args(scripts).current_dir(self.root());
        self.command("lint", "shellcheck", &mut shellcheck)?;
        let mut bindings = bindings::command(self.context, true);
        self.command("lint", "bindings are current", &mut bindings)?;
        let mut clippy = self.cargo(&["clippy", "-q", "--locked", "--all-targets"]);
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
                // What `cargo clippy -- -D warnings` puts there.
                .env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
            self.command("lint", "clippy in ring 0", &mut clippy)?;
        }
        Ok(())
    }

    /// A cargo command over all ring-0 crates.
    fn ring0(&self, builder: &Builder, tree: &KernelTree, subcommand: &str) -> Result<Command> {
        let mut cargo = self.cargo(&[subcommand, "-q", "--locked", "--release"]);
        cargo
            .args(["-p", "koru-kernel", "--target-dir"])
            .arg(
                self.root()
                    .join("target/koru")
                    .join(&tree.release)
                    .join(subcommand),
            )
            .envs(builder.environment());
        for module in find_modules(&self.context.home, self.root(), &[])? {
            cargo.args(["-p", &module.package]);
        }
        Ok(cargo)
    }

    /// The examples of the kernel crate: compiled, for they cannot run here.
    pub fn doc(&self) -> Result<()> {
        if !self.wanted("examples of the kernel crate") {
            return Ok(());
        }
        let tree = self.tree()?;
        let builder = Builder::new(&self.context.home, &tree, &*self.context.ui)?;
        let environment = builder.environment();
        let flags = environment
            .iter()
            .find(|(name, _)| name == "CARGO_ENCODED_RUSTFLAGS")
            .map(|(_, flags)| {
                // Nothing is really linked: the examples are for another machine.
                [
                    "-Zunstable-options",
                    "--no-run",
                    "-Clinker=true",
                    "-Clinker-flavor=ld",
                ]
                .iter()
                .fold(flags.clone(), |all, flag| format!("{all}\u{1f}{flag}"))
            })
            .unwrap_or_default();
        let mut cargo = self.cargo(&["test", "--locked", "--release", "--doc"]);
        cargo
            .args(["-p", "koru-kernel", "--target", TARGET, "--target-dir"])
            .arg(
                self.root()
                    .join("target/koru")
                    .join(&tree.release)
                    .join("doc"),
            )
            .envs(environment)
            .env(
                "RUSTDOC",
                builder.toolchain().rustc.with_file_name("rustdoc"),
            )
            .env("CARGO_ENCODED_RUSTDOCFLAGS", flags);
        self.libtest("doc", cargo)
    }

    /// Code against the kernel crate that must not compile, and its twins.
    pub fn misuse(&self) -> Result<()> {
        let tree = self.context.kernels.find(None)?;
        // Made ready here, where it is shown what is done meanwhile.
        Builder::new(&self.context.home, &tree, &*self.context.ui)?;
        let mut cargo = self.cargo(&["test", "--locked", "-p", "koru-misuse"]);
        cargo.env("KORU_KERNEL", &tree.release);
        self.libtest("misuse", cargo)
    }

    pub fn unit(&self) -> Result<()> {
        let mut cargo = self.cargo(&["test", "--locked", "--no-fail-fast"]);
        for package in packages_tested_here(&self.context.home.root)? {
            cargo.args(["-p", &package]);
        }
        // For the tests of the guest itself.
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

/// The packages whose tests run on this machine: all that plain `cargo test` takes, but
/// those for the guest.
fn packages_tested_here(workspace: &Path) -> Result<Vec<String>> {
    let packages = metadata(workspace)?;
    let here = |p: &&cargo_metadata::Package| p.metadata["koru"]["guest"] != true;
    let default = packages.workspace_default_packages().into_iter();
    Ok(default.filter(here).map(|p| p.name.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_package_is_forgotten() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let here = packages_tested_here(&root).unwrap();
        for package in [
            "koru",
            "koru-build",
            "koru-decode",
            "koru-models",
            "koru-bench",
            "empty",
        ] {
            assert!(here.iter().any(|p| p == package), "{package}: {here:?}");
        }
        // Those of the guest, and of ring 0.
        for package in ["koru-tests", "koru-kernel", "hello"] {
            assert!(here.iter().all(|p| p != package), "{package}: {here:?}");
        }
    }
}
