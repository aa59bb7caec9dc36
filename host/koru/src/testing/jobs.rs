// SPDX-License-Identifier: MIT OR Apache-2.0

//! Divides the guest tests of a run into jobs, and orders them.

use std::{collections::VecDeque, path::PathBuf, sync::Mutex};

use koru_kernels::KernelTree;

use crate::{cli::MachineArgs, testing::binaries::TestBinary};

/// Tests of one file, for one kernel and one kind of machine.
pub struct Job<'a> {
    pub tree: &'a KernelTree,
    /// The modules: their names and files.
    pub kos: &'a [(String, PathBuf)],
    pub binary: &'a TestBinary,
    pub machine: MachineArgs,
    /// The tests: the name of each, and whether it is ignored.
    pub tests: Vec<(String, bool)>,
}

impl<'a> Job<'a> {
    /// Divides these tests of a file into jobs.
    pub fn of(
        tree: &'a KernelTree,
        kos: &'a [(String, PathBuf)],
        binary: &'a TestBinary,
        tests: Vec<(String, bool)>,
    ) -> impl Iterator<Item = Job<'a>> {
        let one_cpu = |(test, _): &(String, bool)| binary.marks.one_cpu(test);
        let (alone, racing): (Vec<_>, Vec<_>) = tests.into_iter().partition(one_cpu);
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
        let all = [(racing, binary.machine.cpus), (alone, 1)];
        all.into_iter().map(of).filter(|job| !job.tests.is_empty())
    }

    /// Returns whether a guest of one job would do for the other.
    pub fn same_machine(&self, other: &Job) -> bool {
        self.tree.release == other.tree.release && self.machine == other.machine
    }
}

/// The jobs that are not done yet.
pub struct Jobs<'a>(Mutex<VecDeque<Job<'a>>>);

impl<'a> Jobs<'a> {
    /// Returns the jobs for one worker on each processor, and those that leave the processors
    /// to others, for one more worker.
    ///
    /// There are no more guests than that: a guest whose processors have to wait for each
    /// other's turn takes far longer.
    pub fn busy_and_waiting(mut jobs: Vec<Job<'a>>) -> (Jobs<'a>, Jobs<'a>) {
        // With a long job last, the other workers would have nothing to do. Otherwise the
        // machine changes as rarely as possible.
        jobs.sort_by_cached_key(|job| {
            let long = job.binary.marks.takes_long();
            let name = long.then(|| job.binary.name.clone());
            let release = job.tree.release.clone();
            (!long, name, release, job.machine.in_turn, job.machine.cpus)
        });
        let waits = |job: &Job| job.binary.marks.mostly_waits();
        let (waiting, busy) = jobs.into_iter().partition(waits);
        (Jobs(Mutex::new(busy)), Jobs(Mutex::new(waiting)))
    }

    /// Takes the next job.
    pub fn next(&self) -> Option<Job<'a>> {
        self.0.lock().expect("no panic while held").pop_front()
    }
}
