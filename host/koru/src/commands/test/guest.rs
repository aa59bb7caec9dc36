//! The tests that run in a guest.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread::ScopedJoinHandle,
};

use cargo_metadata::Message;
use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, Progress, SUPPORTED};
use koru_vm::Guest;

use super::{
    Run,
    jobs::{Job, Jobs},
};
use crate::{
    cli::{KernelChoice, MachineArgs},
    commands::test_runner::{self, Setting, TestResult},
    context::Context,
    guest_tests::GuestTests,
};

impl Run<'_> {
    /// The guest tests of the workspace around `folder`, on every kernel.
    pub fn guest_of(&self, folder: &Path) -> Result<()> {
        let workspace = koru_kbuild::workspace_of(&around(folder)?)?;
        let binaries = guest_binaries(self.context, &workspace, None)?;
        let with_modules = |tree: KernelTree| {
            let kos = test_runner::modules_for(self.context, &tree, &workspace)?;
            Ok((tree, kos))
        };
        let kernels: Vec<_> = self
            .trees()?
            .into_iter()
            .map(with_modules)
            .collect::<Result<_>>()?;
        let mut jobs = Vec::new();
        for (tree, kos) in &kernels {
            for binary in &binaries {
                let mut tests = test_runner::list(&binary.path, &[])?;
                tests.retain(|(name, _)| self.wanted(&format!("{}::{name}", binary.name)));
                jobs.extend(Job::of(tree, kos, binary, tests));
            }
        }
        let (busy, waiting) = Jobs::busy_and_waiting(jobs);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|s| {
            let queues = std::iter::repeat_n(&busy, processors).chain([&waiting]);
            let workers: Vec<_> = queues.map(|jobs| s.spawn(|| self.work(jobs))).collect();
            let join = |w: ScopedJoinHandle<Result<()>>| w.join().expect("no panic");
            workers.into_iter().try_for_each(join)
        })
    }

    /// Runs one job after the other, in the same guest where that can be. What goes
    /// wrong with one does not keep the others from being run.
    fn work(&self, jobs: &Jobs) -> Result<()> {
        let mut last: Option<(Job, Guest)> = None;
        let mut outcome = Ok(());
        while let Some(job) = jobs.next() {
            let setting = Setting::new(&job.binary.path, job.kos, &job.machine);
            let mut guest = last.take().and_then(|(before, guest)| {
                let same = before.same_machine(&job);
                same.then(|| setting.take_over(guest)).flatten()
            });
            let suite = format!("{} on {}", job.binary.name, job.tree.release);
            let tell = |result: &TestResult| self.add(&suite, result.clone());
            let run = test_runner::run_tests(
                self.context,
                job.tree,
                &setting,
                &mut guest,
                &job.tests,
                &tell,
            );
            let passed = |results: &Vec<TestResult>| results.iter().all(|r| r.failure.is_none());
            match run {
                // A test that failed may have left anything.
                Ok(results) if !passed(&results) => {}
                Ok(_) => last = guest.map(|guest| (job, guest)),
                Err(e) => outcome = outcome.and(Err(e)),
            }
        }
        outcome
    }

    /// The kernels to test on: the one asked for, or the supported ones. Which others are
    /// here, and which of all is the default, makes no difference.
    fn trees(&self) -> Result<Vec<KernelTree>> {
        if let Some(kernel) = &self.args.kernel {
            let choice = KernelChoice {
                kernel: Some(kernel.clone()),
                kdir: None,
            };
            return Ok(vec![self.context.tree(&choice)?]);
        }
        let kernels = &self.context.kernels;
        let supported = SUPPORTED.iter().filter_map(|k| kernels.supported(k));
        let supported: Vec<KernelTree> = supported.collect::<Result<_>>()?;
        if supported.is_empty() {
            return Ok(vec![kernels.find(None)?]);
        }
        Ok(supported)
    }

    /// One of them, for what is tried on one only.
    pub fn tree(&self) -> Result<KernelTree> {
        let last = self.trees()?.pop();
        Ok(last.expect("there is one, or an error"))
    }
}

/// A compiled test file, and the machine that it is for.
pub struct TestBinary {
    pub name: String,
    pub path: PathBuf,
    pub machine: MachineArgs,
    /// What its package says of it.
    pub says: GuestTests,
}

/// Compiles the test binaries of the packages that say they are for the guest, or
/// one of them.
pub fn guest_binaries(
    context: &Context,
    workspace: &Path,
    only: Option<&str>,
) -> Result<Vec<TestBinary>> {
    context.ui.status("compiling the guest tests");
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
        // They run on an emulated processor, out of memory that they take up whole.
        .args(["--config", "profile.test.opt-level=1"])
        .args(["--config", "profile.test.debug=false"])
        .args(["--config", "profile.test.strip=true"])
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    if workspace != context.home.root {
        cargo.args(koru_kbuild::patch_options(&context.home));
    }
    let mut packages = 0;
    for package in guest_packages(workspace)? {
        cargo.args(["-p", &package]);
        packages += 1;
    }
    if let Some(name) = only {
        cargo.args(["--test", name]);
    }
    if packages == 0 {
        return Ok(Vec::new());
    }
    let run = koru_kernels::run(&mut cargo, "compiling the guest tests").map_err(|mut e| {
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
                let tests = GuestTests::of(a.manifest_path.parent()?.as_std_path());
                Some(TestBinary {
                    path: a.executable?.into_std_path_buf(),
                    machine: tests.machine(&a.target.name),
                    name: a.target.name,
                    says: tests,
                })
            }
            _ => None,
        })
        .filter(|binary| binary.name != "koru_tests")
        .collect())
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
            .help("go into a module's folder, or make one: `koru new NAME`")
        })
}

pub fn metadata(workspace: &Path) -> Result<cargo_metadata::Metadata> {
    cargo_metadata::MetadataCommand::new()
        .manifest_path(workspace.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|e| {
            Error::new(
                Kind::Usage,
                format!("reading {}", workspace.display()),
                e.to_string(),
            )
        })
}

fn guest_packages(workspace: &Path) -> Result<Vec<String>> {
    Ok(metadata(workspace)?
        .packages
        .iter()
        .filter(|p| p.metadata["koru"]["guest"] == true)
        .map(|p| p.name.to_string())
        .collect())
}
