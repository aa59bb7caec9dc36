// SPDX-License-Identifier: MIT OR Apache-2.0

//! The guest tests of a run as jobs, and their order.

use std::{collections::VecDeque, path::PathBuf, sync::Mutex};

use koru_kernels::KernelTree;

use crate::{cli::MachineArgs, testing::binaries::TestBinary};

/// Tests of a file, on a kernel, in a machine.
pub struct Job<'a> {
    pub tree: &'a KernelTree,
    /// The modules: name and file.
    pub kos: &'a [(String, PathBuf)],
    pub binary: &'a TestBinary,
    pub machine: MachineArgs,
    /// Name, and whether it is ignored.
    pub tests: Vec<(String, bool)>,
}

impl<'a> Job<'a> {
    /// The jobs that these tests of the file are.
    pub fn of(
        tree: &'a KernelTree,
        kos: &'a [(String, PathBuf)],
        binary: &'a TestBinary,
        tests: Vec<(String, bool)>,
    ) -> impl Iterator<Item = Job<'a>> {
        let races = |(test, _): &(String, bool)| {
            let name = format!("{}::{test}", binary.name);
            binary.settings.races(&name)
        };
        let (racing, others): (Vec<_>, Vec<_>) = tests.into_iter().partition(races);
        let of = move |(tests, cpus): (Vec<_>, u32)| Job {
            tree,
            kos,
            binary,
            machine: MachineArgs {
                cpus,
                ..binary.machine.clone()
            },
            tests,
        };
        let all = [(racing, binary.machine.cpus), (others, 1)];
        all.into_iter().map(of).filter(|job| !job.tests.is_empty())
    }

    /// Whether a guest of the one would do for the other.
    pub fn same_machine(&self, other: &Job) -> bool {
        self.tree.release == other.tree.release && self.machine == other.machine
    }
}

/// Jobs that are not yet done.
pub struct Jobs<'a>(Mutex<VecDeque<Job<'a>>>);

impl<'a> Jobs<'a> {
    /// Those for a worker on each processor, and those that leave the processors to
    /// others, for one worker more.
    ///
    /// No more guests than that: one whose processors have to wait for each other's
    /// turn takes far longer.
    pub fn busy_and_waiting(mut jobs: Vec<Job<'a>>) -> (Jobs<'a>, Jobs<'a>) {
        // The longest at last would leave the other workers with nothing to do. Else
        // as few changes of the machine as can be.
        jobs.sort_by_cached_key(|job| {
            let rank = job.binary.settings.rank(&job.binary.name);
            let release = job.tree.release.clone();
            (rank, release, job.machine.in_turn, job.machine.cpus)
        });
        let waits = |job: &Job| job.binary.settings.waits(&job.binary.name);
        let (waiting, busy) = jobs.into_iter().partition(waits);
        (Jobs(Mutex::new(busy)), Jobs(Mutex::new(waiting)))
    }

    /// The next one.
    pub fn next(&self) -> Option<Job<'a>> {
        self.0.lock().expect("no panic while held").pop_front()
    }
}
