// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is fuzzed, what was done, and what was found.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use koru_error::Error;
use koru_kernels::KernelTree;
use koru_klog::ComplaintKind;

use crate::run::in_guest::Checked;

/// The programs that a guest needs: the one that makes calls, and the one that replays them.
pub const PROGRAMS: [&str; 2] = ["fuzzer", "ioshell"];

/// Two processors, so that threads meet in the module.
pub const CPUS: u32 = 2;

/// What is fuzzed, and for how long.
pub struct Fuzz<'a> {
    pub checked: Checked<'a>,
    pub tree: &'a KernelTree,
    pub seed: u64,
    /// Begin no more calls after this time.
    pub until: Instant,
    pub most_calls: Option<u64>,
    /// Use the kernel's coverage where it has any.
    pub is_guided: bool,
    pub keep_going: bool,
}

/// What was done, and what was found.
#[derive(Default)]
pub struct Fuzzed {
    pub calls: u64,
    /// How long the calls took, without guests' starts.
    pub took: Duration,
    /// Whether coverage guided the calls.
    pub is_guided: bool,
    /// Where the module's code was.
    pub places: BTreeSet<u64>,
    /// The sequences that reached something new.
    pub kept: Vec<String>,
    pub guests: u32,
    pub findings: Vec<Finding>,
}

/// What was found.
pub struct Finding {
    pub error: Error,
    /// Calls that lead to it, as `ioshell --calls` reads them.
    pub script: String,
    /// Whether these calls led to it again, in another guest.
    pub is_replayed: bool,
}

/// How a guest ended.
pub struct Crash {
    pub error: Error,
    pub what: What,
    /// The sequences of calls that were made in the guest at last.
    pub sequences: Vec<String>,
}

/// What is the same when a crash comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Complaint(ComplaintKind),
    /// The guest, or a process in it, does not answer any more.
    Hang,
    /// Something is left behind, or the module cannot be unloaded.
    Left,
}

impl Fuzz<'_> {
    pub fn is_over(&self, fuzzed: &Fuzzed) -> bool {
        self.left_calls(fuzzed) == 0 || Instant::now() >= self.until
    }

    /// Returns how many calls are still to be made.
    pub fn left_calls(&self, fuzzed: &Fuzzed) -> u64 {
        self.most_calls
            .map_or(u64::MAX, |most| most.saturating_sub(fuzzed.calls))
    }
}

impl Fuzzed {
    pub fn calls_per_second(&self) -> f64 {
        self.calls as f64 / self.took.as_secs_f64().max(0.001)
    }

    /// Says what was done.
    pub fn note(&self, release: &str) -> String {
        let reached = match self.is_guided {
            true => format!(", {} places of its code", self.places.len()),
            false => ", without coverage".to_owned(),
        };
        format!(
            "{} calls ({:.0} a second){reached}, on {release}",
            self.calls,
            self.calls_per_second()
        )
    }
}

/// Returns the script of these sequences.
pub fn script(sequences: &[String]) -> String {
    let lines = |sequence: &String| sequence.replace(';', "\n") + "\n";
    let all: Vec<String> = sequences.iter().map(lines).collect();
    all.join("end\n")
}
