// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the agent is asked to measure, and what it has counted.

use serde::{Deserialize, Serialize};

/// The path of the file in a guest that contains the [`Measurement`].
pub const MEASUREMENT: &str = "/measurement";

/// A measurement: operations of the kernel itself, then those of one module after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// The operations that need no module.
    pub floors: Vec<Operation>,
    pub modules: Vec<MeasuredModule>,
    /// Whether one load of each module, and then one sample of each of its operations, are
    /// between the two markers, where a debugger can stop the guest, and whether the kernel's
    /// symbols are reported.
    pub traced: bool,
}

/// A module to measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredModule {
    pub file: ModuleFile,
    /// The module's parameters, as `key=value`.
    pub params: Vec<String>,
    /// The modules that this one needs, in the order in which they are loaded.
    pub needs: Vec<ModuleFile>,
    /// How often the module is loaded and unloaded to count what that takes.
    pub loads: u32,
    pub operations: Vec<Operation>,
}

/// A module's file in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFile {
    pub name: String,
    pub path: String,
}

/// An operation: steps that are repeated, some of which are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The steps that are done once, before all samples.
    pub once: Vec<Step>,
    /// The steps before the counted ones, in each sample.
    pub before: Vec<Step>,
    /// The steps that are counted.
    pub counted: Vec<Step>,
    /// The steps after the counted ones, in each sample.
    pub after: Vec<Step>,
    pub samples: u32,
}

/// A system call. All but `Open` and `Hold` use the file that was opened last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Opens a file for what its permissions allow.
    Open(String),
    Close,
    /// Reads this many bytes at the file's position.
    Read(u32),
    /// Reads this many bytes at an offset.
    Pread(u32, u64),
    /// Writes these bytes at the file's position.
    Write(Vec<u8>),
    /// Writes these bytes at an offset.
    Pwrite(Vec<u8>, u64),
    /// Moves the position. A file that has none is left as it is.
    Seek(u64),
    /// Lets other processes open the file `path`, write to it, and keep it open until the
    /// operation ends.
    Hold {
        path: String,
        processes: u32,
        write: Vec<u8>,
    },
    Getpid,
}

/// A result, in the order of the measurement: that of each floor, and for each module that of
/// its load, and then of each of its operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measured {
    /// The addresses of the markers. This comes first.
    Markers(Markers),
    /// A part of the lines about code in /proc/kallsyms. They come when a module is loaded.
    Symbols(Vec<u8>),
    Operation(Counts),
    /// A step of the operation failed.
    Failed {
        step: Step,
        errno: i32,
    },
    Loaded(LoadCounts),
    /// The kernel refused the module, or to unload it.
    Refused {
        unload: bool,
        errno: i32,
    },
}

/// The addresses of functions of the process that measures, by which a debugger knows where it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Markers {
    /// The place for the debugger to stop the guest. An interrupt that has become due meanwhile
    /// comes before `begin`.
    pub stop: u64,
    /// Is called immediately before what is traced.
    pub begin: u64,
    /// Is called immediately after it.
    pub end: u64,
}

/// What an operation took, in ticks of the processor's counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub median: u64,
    pub least: u64,
    pub most: u64,
    /// The result of the last counted step.
    pub returned: u64,
}

/// What loading and unloading a module took the thread that did it, in nanoseconds of the
/// guest's clock, without the time for which it slept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadCounts {
    pub load: u64,
    pub unload: u64,
    /// The number of bytes that the loaded module occupies, as /proc/modules lists it.
    pub resident: u64,
}
