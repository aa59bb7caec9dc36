// SPDX-License-Identifier: MIT OR Apache-2.0

//! Counts operations in a guest whose time is the number of its instructions.

use std::{
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use koru_error::{Error, Kind, Result, errno_text};
use koru_kernels::{KernelTree, Progress};
use koru_protocol::{
    Counts, Decoder, Exec, LoadCounts, MEASUREMENT, Markers, Measured, MeasuredModule, Measurement,
    ModuleFile, Step, encode,
};
use koru_qemu::{Initramfs, Replayed};
use koru_session::{ProcessEvent, Script};
use koru_vm::{GuestConfig, Replay};

use crate::{
    commands::bench::operation::{NamedOperation, shown},
    context::Context,
    guest::{self, complaint_error},
    loadable::Loadable,
};

/// The processor's counter ticks once for each instruction.
pub const EXACT: Replayed = Replayed { seed: 1, shift: 0 };

/// The words for the kernel's command line that keep equal operations equal: with them, code and
/// stacks have the same addresses in all guests.
const STEADY: [&str; 2] = ["nokaslr", "randomize_kstack_offset=off"];

/// A module to measure, which has been built.
#[derive(Clone)]
pub struct Subject {
    /// How the user calls it.
    pub label: String,
    pub module: Loadable,
    /// The module's file, as it is loaded.
    pub file: Vec<u8>,
    /// The modules that it needs, in the order in which they are loaded.
    pub needs: Vec<Loadable>,
    pub operations: Vec<NamedOperation>,
}

/// What was counted: instructions.
pub struct Results {
    pub markers: Markers,
    pub floors: Vec<Option<Counts>>,
    pub subjects: Vec<SubjectResults>,
}

/// What was counted of one module.
pub struct SubjectResults {
    pub loads: LoadCounts,
    pub operations: Vec<OperationResult>,
}

/// The result of one operation.
pub enum OperationResult {
    Counted(Counts),
    Failed(String),
}

/// How the modules are measured.
pub struct Plan<'a> {
    pub floors: &'a [NamedOperation],
    pub loads: u32,
}

/// Measures modules, one after the other, in one guest.
pub fn measure(
    context: &Context,
    tree: &KernelTree,
    subjects: &[Subject],
    plan: &Plan,
) -> Result<Results> {
    let (config, script) = prepared(context, tree, subjects, plan, false)?;
    let replay = Replay::start(config, EXACT, &script)?;
    replay.guest().session().disable_hang_detection();
    context.ui.status("counting instructions");
    let results = within_limit(&replay, |sign| received(&replay, subjects, sign));
    context.ui.done();
    sorted(results?, subjects, plan)
}

/// Returns the guest in which modules are measured, and its script. Whether a debugger connects is
/// in `traced`.
pub fn prepared(
    context: &Context,
    tree: &KernelTree,
    subjects: &[Subject],
    plan: &Plan,
    traced: bool,
) -> Result<(GuestConfig, Script)> {
    let mut files = Initramfs::new();
    let measurement = Measurement {
        floors: plan.floors.iter().map(|o| o.operation.clone()).collect(),
        modules: subjects
            .iter()
            .enumerate()
            .map(|(n, subject)| module(n, subject, plan, &mut files))
            .collect::<Result<_>>()?,
        traced,
    };
    files.bytes(MEASUREMENT, 0o444, encode(&measurement));
    let mut config = guest::config(context, tree, files, &guest::machine())?;
    config.cmdline.extend(STEADY.map(str::to_owned));
    let script = Script {
        module: None,
        command: Some(Exec::new(["/init", "measure"])),
    };
    Ok((config, script))
}

/// Receives what the guest reports, until it ends. `sign` is called at each sign of life.
pub fn received(replay: &Replay, subjects: &[Subject], sign: &dyn Fn()) -> Result<Vec<Measured>> {
    let (mut results, mut said) = (Vec::new(), Vec::new());
    let mut decoder = Decoder::default();
    let exit = replay.script_run().command(|event| {
        sign();
        match event {
            ProcessEvent::Stdout(bytes) => decoder.feed(&bytes, |m: Measured| results.push(m)),
            ProcessEvent::Stderr(bytes) => said.extend(bytes),
            ProcessEvent::Started(_) | ProcessEvent::Exited(_) => {}
        }
    })?;
    let names = subjects.iter().map(|s| s.label.as_str());
    let measuring = format!("measuring {}", names.collect::<Vec<_>>().join(", "));
    if let Some(complaint) = replay.script_run().end()? {
        return Err(complaint_error(&measuring, &complaint));
    }
    if !exit.success() {
        let message = "the process that measures ended early";
        return Err(Error::new(Kind::System, measuring, message)
            .help("an operation that waits cannot be measured, nor one that never ends")
            .output(String::from_utf8_lossy(&said)));
    }
    Ok(results)
}

/// Does `work`, which calls the function that it gets at each sign of life, and ends the guest if
/// the pause between two of them is longer than an operation can take.
///
/// The guest's heartbeats are no such sign: between them it executes half a billion instructions.
fn within_limit<T>(replay: &Replay, work: impl FnOnce(&dyn Fn()) -> Result<T>) -> Result<T> {
    const LIMIT: Duration = Duration::from_secs(300);
    let (alive, signs) = channel();
    let kill = replay.guest().kill_handle();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            loop {
                match signs.recv_timeout(LIMIT) {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Disconnected) => return false,
                    Err(RecvTimeoutError::Timeout) => {
                        kill();
                        return true;
                    }
                }
            }
        });
        let done = work(&|| _ = alive.send(()));
        drop(alive);
        match watch.join() {
            Ok(true) => {
                let message = format!("there was no result for {} s", LIMIT.as_secs());
                Err(Error::new(Kind::System, "counting instructions", message)
                    .help("`--samples` with a smaller number makes an operation shorter"))
            }
            _ => done,
        }
    })
}

fn module(
    n: usize,
    subject: &Subject,
    plan: &Plan,
    files: &mut Initramfs,
) -> Result<MeasuredModule> {
    // Modules that are compared often have one name.
    let place = |module: &Loadable| ModuleFile {
        name: module.name.clone(),
        path: format!("{}/bench/{n}/{}.ko", guest::MODULES, module.name),
    };
    let file = place(&subject.module);
    files.bytes(&file.path, 0o444, subject.file.clone());
    let mut needs = Vec::new();
    for module in &subject.needs {
        let needed = place(module);
        files.file(&needed.path, &module.path)?;
        needs.push(needed);
    }
    Ok(MeasuredModule {
        file,
        params: subject.module.params.clone(),
        needs,
        loads: plan.loads,
        operations: subject
            .operations
            .iter()
            .map(|o| o.operation.clone())
            .collect(),
    })
}

/// Assigns the results, which come in the order of the measurement, to what was asked for.
fn sorted(results: Vec<Measured>, subjects: &[Subject], plan: &Plan) -> Result<Results> {
    let mut results = results.into_iter();
    let markers = match results.next() {
        Some(Measured::Markers(markers)) => markers,
        _ => Markers::default(),
    };
    let floors = plan.floors.iter().map(|_| match results.next() {
        Some(Measured::Operation(counts)) => Some(counts),
        _ => None,
    });
    let floors = floors.collect();
    let mut all = Vec::new();
    for subject in subjects {
        let loads = match results.next() {
            Some(Measured::Loaded(loads)) => loads,
            Some(Measured::Refused { unload, errno }) => {
                return Err(refused(subject, unload, errno));
            }
            _ => return Err(incomplete(subject)),
        };
        let mut operations = Vec::new();
        for _ in &subject.operations {
            operations.push(match results.next() {
                Some(Measured::Operation(counts)) => OperationResult::Counted(counts),
                Some(Measured::Failed { step, errno }) => {
                    OperationResult::Failed(failure(&step, errno))
                }
                Some(Measured::Refused { unload, errno }) => {
                    return Err(refused(subject, unload, errno));
                }
                _ => return Err(incomplete(subject)),
            });
        }
        all.push(SubjectResults { loads, operations });
    }
    Ok(Results {
        markers,
        floors,
        subjects: all,
    })
}

fn failure(step: &Step, errno: i32) -> String {
    format!("{}: {}", shown(step), errno_text(errno))
}

fn refused(subject: &Subject, unload: bool, errno: i32) -> Error {
    let doing = if unload { "unloading" } else { "loading" };
    let attempted = format!("{doing} {}", subject.label);
    Error::new(Kind::System, attempted, errno_text(errno)).help("`koru run` shows its log")
}

fn incomplete(subject: &Subject) -> Error {
    let attempted = format!("measuring {}", subject.label);
    Error::new(Kind::System, attempted, "the guest sent no result")
}
