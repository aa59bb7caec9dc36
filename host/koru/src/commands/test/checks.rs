//! Checks that need no guest: format, lints, unit tests, examples.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Instant,
};

use koru_build::{Builder, Error, KernelTree, Kind, Report, Result, TARGET, find_modules};

use super::Run;
use crate::{
    commands::{
        bindings,
        test_runner::{Cause, Failure, TestResult},
    },
    needs,
    oops::Log,
};

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
            ".ci/run",
            "host/vm/src/ssh.sh",
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
            let tree = self.context.kernels.find(None)?;
            let builder = Builder::new(&self.context.home, &tree, &*self.context.ui)?;
            let mut clippy = self.ring0(&builder, &tree, "check")?;
            let driver = needs::clippy_driver(builder.toolchain()).ok_or_else(|| {
                Error::new(
                    Kind::Missing,
                    "running clippy in ring 0",
                    "no clippy-driver",
                )
                .todo("koru setup --tests")
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
        let tree = self.context.kernels.find(None)?;
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

    pub fn unit(&self) -> Result<()> {
        let mut cargo = self.cargo(&["test", "--locked", "--no-fail-fast"]);
        for package in [
            "koru",
            "koru-build",
            "koru-vm",
            "koru-protocol",
            "koru-testing",
            "koru-agent",
            "koru-properties",
            "deque_client",
            "empty",
            "ioshell",
            "part1",
        ] {
            cargo.args(["-p", package]);
        }
        // For the tests of the guest itself.
        let context = self.context;
        if let Some(image) = context.kernels.find(None)?.image {
            cargo
                .env("KORU_TEST_KERNEL", image)
                .env("KORU_TEST_AGENT", needs::agent_path()?)
                .env(
                    "KORU_TEST_BUSYBOX",
                    koru_build::busybox(&context.cache, &*context.ui)?,
                )
                .env("KORU_TEST_CACHE", context.cache.root().join("guest"));
        }
        self.libtest("unit", cargo)
    }

    /// Runs cargo test and takes its word for each test.
    fn libtest(&self, suite: &str, mut cargo: Command) -> Result<()> {
        cargo.arg("--").args(&self.args.filters);
        self.context.ui.status(&format!("{suite}: compiling"));
        let begun = Instant::now();
        let mut child = cargo
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| Error::io("starting cargo in", self.root(), e))?;
        let stderr = child.stderr.take().expect("piped");
        let stdout = child.stdout.take().expect("piped");
        let mut text = String::new();
        let mut said = String::new();
        let mut results = Vec::new();
        std::thread::scope(|s| {
            let errors = s.spawn(|| std::io::read_to_string(stderr).unwrap_or_default());
            let mut last = Instant::now();
            for line in BufReader::new(stdout).lines().map_while(|l| l.ok()) {
                if let Some((name, word)) = verdict(&line) {
                    self.context.ui.status(&format!("{suite}: {name}"));
                    results.push((name.to_owned(), word.to_owned(), last.elapsed()));
                    last = Instant::now();
                }
                text += &line;
                text.push('\n');
            }
            said = errors.join().unwrap_or_default();
        });
        let status = child
            .wait()
            .map_err(|e| Error::io("waiting for cargo in", self.root(), e))?;
        let none_failed = results.iter().all(|(_, word, _)| word != "FAILED");
        for (name, word, took) in results {
            let failure = (word == "FAILED").then(|| Failure {
                cause: Cause::Test,
                why: "the test failed".into(),
                output: section(&text, &name),
                log: Log::default(),
            });
            let result = TestResult {
                name,
                took,
                failure,
                ignored: word.starts_with("ignored"),
            };
            self.add(suite, result);
        }
        if !status.success() && none_failed {
            // Not a test: it does not compile, or a test binary died.
            let result = TestResult {
                name: "cargo test".into(),
                took: begun.elapsed(),
                failure: Some(Failure {
                    cause: Cause::Test,
                    why: format!("cargo test failed ({status})"),
                    output: format!("{text}{said}"),
                    log: Log::default(),
                }),
                ignored: false,
            };
            self.add(suite, result);
        }
        Ok(())
    }
}

/// `test NAME ... ok`
fn verdict(line: &str) -> Option<(&str, &str)> {
    let (name, word) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let word = word.trim();
    matches!(
        word.split([',', ' ']).next(),
        Some("ok" | "FAILED" | "ignored")
    )
    .then_some((name, word))
}

/// What libtest shows of a failed test.
fn section(text: &str, name: &str) -> String {
    let head = format!("---- {name} stdout ----");
    let rest = text.split(&head).nth(1).unwrap_or_default();
    let ends = ["\n---- ", "\nfailures:\n"].map(|end| rest.find(end));
    let end = ends.into_iter().flatten().min().unwrap_or(rest.len());
    rest[..end].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        assert_eq!(verdict("test a::b ... ok"), Some(("a::b", "ok")));
        assert_eq!(verdict("test a ... FAILED"), Some(("a", "FAILED")));
        assert_eq!(
            verdict("test src/x.rs - y (line 3) - compile ... ok"),
            Some(("src/x.rs - y (line 3) - compile", "ok"))
        );
        assert_eq!(verdict("test result: ok. 3 passed"), None);
    }

    #[test]
    fn a_failed_tests_output() {
        let text = "failures:\n\n---- a stdout ----\n\npanicked\n\nhere\n\n\
                    ---- b stdout ----\nb\n\n\nfailures:\n    a\n";
        assert_eq!(section(text, "a"), "panicked\n\nhere");
        assert_eq!(section(text, "b"), "b");
    }
}
