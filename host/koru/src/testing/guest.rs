// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the tests that need a guest.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    thread::ScopedJoinHandle,
    time::Duration,
};

use koru_error::{Error, Kind, Result};
use koru_kbuild::{Module, workspace_modules};
use koru_kernels::{KernelTree, SUPPORTED};
use koru_vm::Guest;

use crate::{
    cli::KernelChoice,
    log::oops::Log,
    testing::{
        binaries::{TestBinary, build_for_tests, guest_binaries, list_tests},
        jobs::{Job, Jobs},
        part::Part,
        result::{Cause, Failure, TestResult},
        runner::{TestEnvironment, run_tests},
        test_run::TestRun,
    },
};

/// Which modules of a workspace are built, and whose tests run.
pub enum Chosen<'a> {
    /// All, whatever their authors say of the kernel.
    Every,
    /// Those whose authors do not say that the kernel is not supported. The tests of the others
    /// are skipped.
    Supported,
    /// These modules, and the tests of one module, or the tests that belong to none.
    These {
        modules: &'a [Module],
        tested: Option<&'a Module>,
    },
}

impl TestRun<'_> {
    /// Runs the guest tests of the workspace around `folder`, on every kernel.
    pub fn guest_of(&self, folder: &Path, chosen: &Chosen) -> Result<()> {
        let workspace = koru_kbuild::workspace_of(&around(folder)?)?;
        let all = workspace_modules(&self.context.home, &workspace)?;
        let trees = self.trees()?;
        if matches!(chosen, Chosen::Supported) {
            is_any_supported(&all, &trees)?;
        }
        let is_wanted = |package: &Path| match chosen {
            Chosen::These { tested, .. } => {
                owner(&all, package).map(|m| &m.dir) == tested.map(|m| &m.dir)
            }
            _ => true,
        };
        let mut binaries = guest_binaries(self.context, &workspace, &is_wanted, None)?;
        if self.args.plain {
            binaries.iter_mut().for_each(|b| b.machine.harsh = false);
        }
        if binaries.is_empty() && matches!(chosen, Chosen::These { .. }) {
            return Ok(());
        }
        let sandbox = self.context.rust_sandbox.as_ref();
        let sandbox = sandbox.filter(|_| workspace != self.context.home.root);
        let modules_for = |tree: &KernelTree| {
            let supported = |m: &&Module| m.refusal(&tree.release).is_none();
            let modules = match chosen {
                Chosen::Every => all.clone(),
                Chosen::Supported => all.iter().filter(supported).cloned().collect(),
                Chosen::These { modules, .. } => modules.to_vec(),
            };
            build_for_tests(self.context, tree, &workspace, &modules)
        };
        let mut kernels = Vec::new();
        for tree in trees {
            match modules_for(&tree) {
                Ok(kos) => kernels.push((tree, kos)),
                Err(e) => self.unless_one_of_several(&tree, e)?,
            }
        }
        let mut jobs = Vec::new();
        let whole = self.tree()?.release;
        for (tree, kos) in &kernels {
            // One kernel has all tests; the others have a part of them each.
            let part = match tree.release == whole {
                true => Part::All,
                false => self.part,
            };
            for binary in &binaries {
                let mut tests = list_tests(&binary.path, &[], sandbox)?;
                tests.retain(|(name, _)| {
                    let name = format!("{}::{name}", binary.name);
                    self.wanted(&name) && part.has(&format!("{name} on {}", tree.release))
                });
                let owner = owner(&all, &binary.package);
                let refusal = owner.and_then(|owner| owner.refusal(&tree.release));
                match refusal.filter(|_| matches!(chosen, Chosen::Supported)) {
                    Some(refusal) => self.skip(binary, tree, tests, &refusal),
                    None => jobs.extend(Job::of(tree, kos, binary, tests)),
                }
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

    /// Reports the tests of a file as skipped.
    fn skip(&self, binary: &TestBinary, tree: &KernelTree, tests: Vec<(String, bool)>, why: &str) {
        for (name, _) in tests {
            let result = TestResult {
                name,
                took: Duration::ZERO,
                failure: None,
                ignored: Some(format!("not supported: {why}")),
            };
            self.add(&suite(binary, tree), result);
        }
    }

    /// Runs one job after the other, in the same guest where possible. An error in one job
    /// does not keep the others from running.
    fn work(&self, jobs: &Jobs) -> Result<()> {
        let mut last: Option<(Job, Guest)> = None;
        let mut outcome = Ok(());
        while let Some(job) = jobs.next() {
            let suite = suite(job.binary, job.tree);
            let mut environment = TestEnvironment::new(&job.binary.path, job.kos, &job.machine);
            environment.coverage = self.coverage_of(&suite);
            let mut guest = last.take().and_then(|(before, guest)| {
                let same = before.same_machine(&job);
                same.then(|| environment.take_over(guest)).flatten()
            });
            let tell = |result: &TestResult| self.add(&suite, result.clone());
            let run = run_tests(
                self.context,
                job.tree,
                &environment,
                &mut guest,
                &job.tests,
                &tell,
            );
            let passed = |results: &Vec<TestResult>| results.iter().all(|r| r.failure.is_none());
            match run {
                // A test that failed may have left the guest in any state.
                Ok(results) if !passed(&results) => {}
                Ok(_) => last = guest.map(|guest| (job, guest)),
                Err(e) => outcome = outcome.and(Err(e)),
            }
        }
        outcome
    }

    /// Returns an error with one kernel, unless there are others to test on: then the error is
    /// a test that failed.
    pub fn unless_one_of_several(&self, tree: &KernelTree, error: Error) -> Result<()> {
        let is_one = self.trees()?.len() == 1;
        // By default, all kernels are alike, and what is missing is missing for all.
        if is_one || self.args.kernels.is_empty() || error.kind == Kind::Missing {
            return Err(error);
        }
        let result = TestResult {
            name: "the modules build".into(),
            took: Duration::ZERO,
            failure: Some(Failure {
                cause: Cause::Test,
                why: error.to_string(),
                output: error.output.unwrap_or_default(),
                log: Log::default(),
            }),
            ignored: None,
        };
        self.add(&format!("build on {}", tree.release), result);
        Ok(())
    }

    /// Returns the kernels to test on: those that were asked for, or the supported ones. Other
    /// kernels and the choice of the default make no difference.
    pub fn trees(&self) -> Result<Vec<KernelTree>> {
        let mut trees = self.chosen()?;
        trees.extend(self.also.clone());
        let mut seen = BTreeSet::new();
        trees.retain(|tree| seen.insert(tree.release.clone()));
        Ok(trees)
    }

    fn chosen(&self) -> Result<Vec<KernelTree>> {
        match self.args.kernels.is_empty() {
            true => self.supported(),
            false => self.named(),
        }
    }

    fn named(&self) -> Result<Vec<KernelTree>> {
        let mut trees = Vec::new();
        for name in &self.args.kernels {
            if name == "all" {
                let all = self.context.kernels.list()?.into_iter();
                let bootable = all.filter(|kernel| kernel.bootable);
                let found = bootable.filter_map(|k| self.context.kernels.exactly(&k.release));
                trees.extend(found.collect::<Result<Vec<_>>>()?);
                continue;
            }
            trees.push(self.context.tree(&KernelChoice::named(name))?);
        }
        Ok(trees)
    }

    fn supported(&self) -> Result<Vec<KernelTree>> {
        let kernels = &self.context.kernels;
        let supported = SUPPORTED.iter().filter_map(|k| kernels.supported(k));
        let supported: Vec<KernelTree> = supported.collect::<Result<_>>()?;
        if supported.is_empty() {
            return Ok(vec![kernels.find(None)?]);
        }
        Ok(supported)
    }

    /// Returns one of the kernels to test on, for checks that need only one.
    pub fn tree(&self) -> Result<KernelTree> {
        let last = self.chosen()?.pop();
        Ok(last.expect("there is one, or an error"))
    }
}

fn suite(binary: &TestBinary, tree: &KernelTree) -> String {
    format!("{} on {}", binary.name, tree.release)
}

/// Returns the module to which a package of tests belongs: the one in whose folder it is.
fn owner<'a>(modules: &'a [Module], package: &Path) -> Option<&'a Module> {
    let around = modules.iter().filter(|m| package.starts_with(&m.dir));
    around.max_by_key(|m| m.dir.components().count())
}

/// Returns an error if no module supports one of these kernels.
fn is_any_supported(modules: &[Module], trees: &[KernelTree]) -> Result<()> {
    let refuses = |m: &Module| trees.iter().all(|tree| m.refusal(&tree.release).is_some());
    if modules.is_empty() || !modules.iter().all(refuses) {
        return Ok(());
    }
    let supported = modules.iter().filter_map(|m| {
        let kernels = m.kernels.as_ref()?;
        Some(format!("{} supports {kernels}", m.name))
    });
    let supported: Vec<String> = supported.collect();
    let releases: Vec<&str> = trees.iter().map(|tree| tree.release.as_str()).collect();
    Err(Error::new(
        Kind::Usage,
        format!("testing on {}", releases.join(" and ")),
        format!("no such kernel is supported: {}", supported.join(", ")),
    )
    .help("`koru test --kernel RELEASE` tests on another one, or on one of these all the same"))
}

/// Returns the folder of the package that `folder` is in.
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
