//! `koru test`: every check and test of the project, or of a module of the
//! user's own.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use cargo_metadata::Message;
use koru_build::{Builder, Error, KernelTree, Kind, Report, Result, TARGET, find_modules};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::{
    cli::{Check, KernelChoice, TestArgs},
    commands::test_runner::{self, Failure, TestResult, describe},
    context::Context,
    needs,
};

/// The results of one kind of check, or of one test binary on one kernel.
struct Suite {
    name: String,
    results: Vec<TestResult>,
}

/// What is common to all checks of one run.
struct Run<'a> {
    context: &'a Context,
    args: &'a TestArgs,
    suites: Mutex<Vec<Suite>>,
}

pub fn test(context: &Context, args: &TestArgs) -> Result<u8> {
    let begun = Instant::now();
    let ours = context.here.starts_with(&context.home.root);
    needs::get(&context.home, ours, args.yes, &*context.ui)?;
    needs::prebuild(&context.home, &*context.ui)?;
    context.ui.done();
    let run = Run {
        context,
        args,
        suites: Mutex::default(),
    };
    if ours {
        for check in [
            Check::Format,
            Check::Lint,
            Check::Unit,
            Check::Doc,
            Check::Guest,
        ] {
            if !args.only.is_empty() && !args.only.contains(&check) {
                continue;
            }
            match check {
                Check::Format => run.format()?,
                Check::Lint => run.lint()?,
                Check::Unit => run.unit()?,
                Check::Doc => run.doc()?,
                Check::Guest => run.guest_of(&context.home.root.join("tests"))?,
            }
        }
    } else {
        run.guest_of(&context.here)?;
    }
    context.ui.done();
    let suites = run.suites.into_inner().expect("no panic while held");
    let junit = match &args.junit {
        Some(path) => context.here.join(path),
        None if ours => context.home.root.join("target/koru/junit.xml"),
        None => context.here.join("target/koru/junit.xml"),
    };
    write_junit(&suites, &junit)?;
    Ok(summary(&suites, &junit, begun.elapsed()))
}

fn summary(suites: &[Suite], junit: &Path, took: Duration) -> u8 {
    let all = || suites.iter().flat_map(|s| &s.results);
    let failed: Vec<(&Suite, &TestResult)> = suites
        .iter()
        .flat_map(|s| s.results.iter().map(move |r| (s, r)))
        .filter(|(_, r)| r.failure.is_some())
        .collect();
    for (suite, result) in &failed {
        println!(
            "\n==== {}: {} ====\n{}",
            suite.name,
            result.name,
            describe(result)
        );
    }
    let ignored = all().filter(|r| r.ignored).count();
    let passed = all().count() - failed.len() - ignored;
    println!("\nreport: {}", junit.display());
    println!("took {} s", took.as_secs());
    let skipped = match ignored {
        0 => String::new(),
        n => format!(", {n} skipped"),
    };
    println!("{passed} passed, {} failed{skipped}", failed.len());
    if passed == 0 && failed.is_empty() {
        println!("no test has such a name");
        return 2;
    }
    u8::from(!failed.is_empty())
}

impl Run<'_> {
    fn root(&self) -> &Path {
        &self.context.home.root
    }

    fn wanted(&self, name: &str) -> bool {
        let filters = &self.args.filters;
        filters.is_empty() || filters.iter().any(|f| name.contains(f.as_str()))
    }

    fn add(&self, suite: &str, result: TestResult) {
        self.context.ui.done();
        let word = match (&result.failure, result.ignored) {
            (_, true) => "ignored",
            (None, _) => "ok",
            (Some(_), _) => "FAILED",
        };
        println!(
            "{suite}: {} ... {word} ({:.1} s)",
            result.name,
            result.took.as_secs_f64()
        );
        let mut suites = self.suites.lock().expect("no panic while held");
        match suites.iter_mut().find(|s| s.name == suite) {
            Some(suite) => suite.results.push(result),
            None => suites.push(Suite {
                name: suite.to_owned(),
                results: vec![result],
            }),
        }
    }

    /// A check that is one command: it passes when the command succeeds.
    fn command(&self, suite: &str, name: &str, command: &mut Command) -> Result<()> {
        if !self.wanted(name) {
            return Ok(());
        }
        self.context.ui.status(&format!("{suite}: {name}"));
        let begun = Instant::now();
        let failure = match koru_build::run(command, name) {
            Ok(_) => None,
            Err(e) if e.kind == Kind::Missing => return Err(e),
            Err(e) => Some(Failure {
                why: e.wrong,
                output: e.output.unwrap_or_default(),
                log: String::new(),
            }),
        };
        let result = TestResult {
            name: name.to_owned(),
            took: begun.elapsed(),
            failure,
            ignored: false,
        };
        self.add(suite, result);
        Ok(())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args(arguments)
            .current_dir(self.root())
            .env("CARGO_TERM_COLOR", "never");
        cargo
    }

    fn format(&self) -> Result<()> {
        let mut cargo = self.cargo(&["fmt", "--all", "--check", "--", "--color=never"]);
        self.command("format", "cargo fmt", &mut cargo)
    }

    fn lint(&self) -> Result<()> {
        let scripts = ["koru", ".ci/run"];
        let mut shellcheck = Command::new("shellcheck");
        shellcheck.args(scripts).current_dir(self.root());
        self.command("lint", "shellcheck", &mut shellcheck)?;
        let mut bindings = super::bindings::command(self.context, true);
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
    fn doc(&self) -> Result<()> {
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

    fn unit(&self) -> Result<()> {
        let mut cargo = self.cargo(&["test", "--locked", "--no-fail-fast"]);
        for package in [
            "koru",
            "koru-build",
            "koru-vm",
            "koru-protocol",
            "koru-testing",
            "koru-agent",
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
                why: "the test failed".into(),
                output: section(&text, &name),
                log: String::new(),
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
                    why: format!("cargo test failed ({status})"),
                    output: format!("{text}{said}"),
                    log: String::new(),
                }),
                ignored: false,
            };
            self.add(suite, result);
        }
        Ok(())
    }

    /// The guest tests of the workspace around `folder`, on every kernel.
    fn guest_of(&self, folder: &Path) -> Result<()> {
        let workspace = koru_build::workspace_of(&around(folder)?)?;
        let binaries = self.guest_binaries(&workspace)?;
        let mut jobs = Vec::new();
        for tree in self.trees()? {
            let kos = test_runner::modules_for(self.context, &tree, &workspace)?;
            for (package, binary) in &binaries {
                let tests: Vec<(String, bool)> = test_runner::list(binary, &[])?
                    .into_iter()
                    .filter(|(name, _)| self.wanted(&format!("{package}::{name}")))
                    .collect();
                if !tests.is_empty() {
                    jobs.push((tree.clone(), kos.clone(), package.clone(), binary, tests));
                }
            }
        }
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = Mutex::new(jobs.into_iter());
        let errors = Mutex::new(Vec::new());
        std::thread::scope(|s| {
            for _ in 0..workers {
                s.spawn(|| {
                    loop {
                        let job = jobs.lock().expect("no panic while held").next();
                        let Some((tree, kos, package, binary, tests)) = job else {
                            break;
                        };
                        let suite = format!("{package} on {}", tree.release);
                        let ran = test_runner::run_tests(
                            self.context,
                            &tree,
                            binary,
                            &kos,
                            &tests,
                            &|result| self.add(&suite, result.clone()),
                        );
                        if let Err(e) = ran {
                            errors.lock().expect("no panic while held").push(e);
                        }
                    }
                });
            }
        });
        match errors.into_inner().expect("no panic while held").pop() {
            Some(e) => Err(e),
            None => Ok(()),
        }
    }

    /// The kernels to test on: the one asked for, or all that can boot.
    fn trees(&self) -> Result<Vec<KernelTree>> {
        if let Some(kernel) = &self.args.kernel {
            let choice = KernelChoice {
                kernel: Some(kernel.clone()),
                kdir: None,
            };
            return Ok(vec![self.context.tree(&choice)?]);
        }
        let supported = needs::SUPPORTED
            .iter()
            .filter_map(|k| self.context.kernels.find(Some(k)).ok())
            .filter(|t| t.image.is_some())
            .collect::<Vec<_>>();
        if supported.is_empty() {
            return Ok(vec![self.context.kernels.find(None)?]);
        }
        Ok(supported)
    }

    /// Compiles the test binaries of the packages that say they are for the
    /// guest; gives a name for each.
    fn guest_binaries(&self, workspace: &Path) -> Result<Vec<(String, PathBuf)>> {
        self.context.ui.status("compiling the guest tests");
        let mut cargo = Command::new("cargo");
        cargo
            .args([
                "test",
                "--no-run",
                "--message-format=json",
                "--manifest-path",
            ])
            .arg(workspace.join("Cargo.toml"))
            .args(["--target", "x86_64-unknown-linux-gnu"])
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
        if workspace != self.root() {
            cargo.args(koru_build::patch_options(&self.context.home));
        }
        let mut packages = 0;
        for package in guest_packages(workspace)? {
            cargo.args(["-p", &package]);
            packages += 1;
        }
        if packages == 0 {
            return Ok(Vec::new());
        }
        let run = koru_build::run(&mut cargo, "compiling the guest tests").map_err(|mut e| {
            // The compiler's messages are inside cargo's JSON.
            if let Some(text) = &e.output {
                let rendered: String = Message::parse_stream(text.as_bytes())
                    .filter_map(|m| match m {
                        Ok(Message::CompilerMessage(m)) => m.message.rendered,
                        _ => None,
                    })
                    .collect();
                if !rendered.is_empty() {
                    e.output = Some(rendered);
                }
            }
            e
        })?;
        Ok(Message::parse_stream(run.stdout.as_bytes())
            .filter_map(|m| match m {
                Ok(Message::CompilerArtifact(a)) if a.profile.test => {
                    Some((a.target.name, a.executable?.into_std_path_buf()))
                }
                _ => None,
            })
            .filter(|(name, _)| name != "koru_tests")
            .collect())
    }
}

/// The folder of the package that `folder` is in.
fn around(folder: &Path) -> Result<PathBuf> {
    folder
        .ancestors()
        .find(|d| d.join("Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "looking for tests",
                format!("there is no Cargo.toml in {} or above", folder.display()),
            )
            .todo("go into a module's folder, or make one: `koru new NAME`")
        })
}

fn guest_packages(workspace: &Path) -> Result<Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(workspace.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|e| {
            Error::new(
                Kind::Usage,
                format!("reading {}", workspace.display()),
                e.to_string(),
            )
        })?;
    Ok(metadata
        .packages
        .iter()
        .filter(|p| p.metadata["koru"]["guest"] == true)
        .map(|p| p.name.to_string())
        .collect())
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

fn write_junit(suites: &[Suite], path: &Path) -> Result<()> {
    let mut report = quick_junit::Report::new("koru");
    for suite in suites {
        let mut junit = TestSuite::new(suite.name.clone());
        for result in &suite.results {
            let status = match (&result.failure, result.ignored) {
                (_, true) => TestCaseStatus::skipped(),
                (None, _) => TestCaseStatus::success(),
                (Some(failure), _) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(failure.why.clone());
                    status.set_description(describe(result));
                    status
                }
            };
            let mut case = TestCase::new(result.name.clone(), status);
            case.set_time(result.took);
            case.set_classname(suite.name.clone());
            junit.add_test_case(case);
        }
        report.add_test_suite(junit);
    }
    let text = report
        .to_string()
        .map_err(|e| Error::new(Kind::System, "writing the JUnit report", e.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|e| Error::io("writing", path, e))
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
