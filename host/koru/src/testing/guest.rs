// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the tests that need a guest.

use std::{
    path::{Path, PathBuf},
    thread::ScopedJoinHandle,
};

use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, SUPPORTED};
use koru_vm::Guest;

use crate::{
    cli::KernelChoice,
    testing::{
        binaries::{guest_binaries, list_tests, modules_for},
        jobs::{Job, Jobs},
        part::Part,
        result::TestResult,
        runner::{TestEnvironment, run_tests},
        test_run::TestRun,
    },
};

impl TestRun<'_> {
    /// Runs the guest tests of the workspace around `folder`, on every kernel.
    pub fn guest_of(&self, folder: &Path) -> Result<()> {
        let workspace = koru_kbuild::workspace_of(&around(folder)?)?;
        let binaries = guest_binaries(self.context, &workspace, None)?;
        let sandbox = self.context.rust_sandbox.as_ref();
        let sandbox = sandbox.filter(|_| workspace != self.context.home.root);
        let with_modules = |tree: KernelTree| {
            let kos = modules_for(self.context, &tree, &workspace)?;
            Ok((tree, kos))
        };
        let kernels: Vec<_> = self
            .trees()?
            .into_iter()
            .map(with_modules)
            .collect::<Result<_>>()?;
        let mut jobs = Vec::new();
        for (n, (tree, kos)) in kernels.iter().enumerate() {
            // One kernel has all tests; the others have a part of them each.
            let part = match n + 1 == kernels.len() {
                true => Part::All,
                false => self.part,
            };
            for binary in &binaries {
                let mut tests = list_tests(&binary.path, &[], sandbox)?;
                tests.retain(|(name, _)| {
                    let name = format!("{}::{name}", binary.name);
                    self.wanted(&name) && part.has(&format!("{name} on {}", tree.release))
                });
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

    /// Runs one job after the other, in the same guest where possible. An error in one job
    /// does not keep the others from running.
    fn work(&self, jobs: &Jobs) -> Result<()> {
        let mut last: Option<(Job, Guest)> = None;
        let mut outcome = Ok(());
        while let Some(job) = jobs.next() {
            let environment = TestEnvironment::new(&job.binary.path, job.kos, &job.machine);
            let mut guest = last.take().and_then(|(before, guest)| {
                let same = before.same_machine(&job);
                same.then(|| environment.take_over(guest)).flatten()
            });
            let suite = format!("{} on {}", job.binary.name, job.tree.release);
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

    /// Returns the kernels to test on: the one that was asked for, or the supported ones.
    /// Other kernels and the choice of the default make no difference.
    pub fn trees(&self) -> Result<Vec<KernelTree>> {
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

    /// Returns one of the kernels to test on, for checks that need only one.
    pub fn tree(&self) -> Result<KernelTree> {
        let last = self.trees()?.pop();
        Ok(last.expect("there is one, or an error"))
    }
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
