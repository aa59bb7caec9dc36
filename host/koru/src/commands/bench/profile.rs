// SPDX-License-Identifier: MIT OR Apache-2.0

//! Profiles: which functions the instructions are in, exactly.
//!
//! The same measurement is done once more. A debugger stops the guest before and after one sample
//! of each operation, and in between QEMU executes, and logs, one instruction after the other.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    thread,
};

use koru_decode::Location;
use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{KernelTree, Progress};
use koru_klog::demangled;
use koru_protocol::{Markers, Measured};
use koru_qemu::GdbStub;
use koru_vm::Replay;
use serde::Serialize;

use super::guest::{EXACT, OperationResult, Plan, Results, Subject, prepared, received};
use crate::context::Context;

/// Where the instructions of one sample are.
#[derive(Serialize, Default, Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Those in the module's own functions.
    pub module: u64,
    /// Those in Koru's C interface layer, which is linked into the module.
    pub shim: u64,
    /// Those in the kernel.
    pub kernel: u64,
    /// The agent's, which are not counted elsewhere.
    pub measuring: u64,
    /// The instructions of each function, by its name. Those of the module are marked by `[m]`.
    pub functions: BTreeMap<String, u64>,
    /// The instructions of each source line of the module's code, where debug info says it.
    pub lines: BTreeMap<String, u64>,
}

/// The beginning of the shim's names.
const SHIM: &str = "koru_";

/// Code, sorted by address: where a function begins, its name, and whether it is the module's.
type Symbols = Vec<(u64, String, bool)>;

impl Profile {
    fn of(
        trace: &BTreeMap<u64, u64>,
        symbols: &Symbols,
        debug_info: Option<&koru_decode::Symbols>,
    ) -> Profile {
        /// The first address of the kernel's half.
        const KERNEL: u64 = 1 << 63;
        let mut profile = Profile::default();
        for (&pc, &count) in trace {
            if pc < KERNEL {
                profile.measuring += count;
                continue;
            }
            let after = symbols.partition_point(|(address, ..)| *address <= pc);
            let found = after.checked_sub(1).map(|at| &symbols[at]);
            let (name, is_module) = found.map_or(("?", false), |(_, n, m)| (n.as_str(), *m));
            let part = match (is_module, name.starts_with(SHIM)) {
                (true, true) => &mut profile.shim,
                (true, false) => &mut profile.module,
                (false, _) => &mut profile.kernel,
            };
            *part += count;
            if let (true, Some((address, symbol, _)), Some(info)) = (is_module, found, debug_info) {
                let places = info.in_symbol(symbol, pc - address);
                if let Some(line) = places.first().and_then(source_line) {
                    *profile.lines.entry(line).or_default() += count;
                }
            }
            let name = match is_module {
                true => format!("{} [m]", demangled(name)),
                false => name.to_owned(),
            };
            *profile.functions.entry(name).or_default() += count;
        }
        profile
    }
}

/// Returns a file, with the folders around it that tell it from others, and a line.
fn source_line(place: &Location) -> Option<String> {
    let (file, line) = (place.file.as_ref()?, place.line?);
    let parts: Vec<&str> = file.split('/').collect();
    let last = &parts[parts.len().saturating_sub(3)..];
    Some(format!("{}:{line}", last.join("/")))
}

/// Returns the debug info of a built module: Kbuild leaves it in the module, and Koru beside it.
fn debug_info(subject: &Subject) -> Option<koru_decode::Symbols> {
    let ko = &subject.module.path;
    [ko.with_extension("ko.debug"), ko.clone()]
        .iter()
        .find_map(|path| koru_decode::Symbols::read(path).ok())
}

/// Traces a load of each module, and one sample of each operation that does not fail. The
/// profiles are in that order.
pub fn profiles(
    context: &Context,
    tree: &KernelTree,
    subjects: &[Subject],
    results: &Results,
) -> Result<Vec<Vec<Option<Profile>>>> {
    let plan = Plan {
        floors: &[],
        loads: 3,
    };
    let fewer: Vec<Subject> = subjects.iter().map(with_fewer_samples).collect();
    let subjects = &fewer;
    let folder = tempfile::Builder::new()
        .prefix("koru-bench.")
        .tempdir()
        .path_context("making a folder in", &std::env::temp_dir())?;
    let (mut config, script) = prepared(context, tree, subjects, &plan, true)?;
    let socket = folder.path().join("gdb");
    config.gdb = Some(socket.clone());
    let replay = Replay::start(config, EXACT, &script)?;
    context.ui.status("tracing instructions");
    let (traces, reported) = thread::scope(|scope| {
        let receiver = scope.spawn(|| received(&replay, subjects, &|| ()));
        let over = || receiver.is_finished();
        let traces = traces(&socket, folder.path(), results, &over);
        if traces.is_err() {
            replay.guest().kill_handle()();
        }
        (traces, receiver.join())
    });
    context.ui.done();
    let traces =
        traces.map_err(|e| Error::new(Kind::System, "tracing instructions", e.to_string()))?;
    let reported = reported.unwrap_or_else(|e| std::panic::resume_unwind(e))?;
    // The kernel's symbols come before the first module is loaded, and a module's when it is.
    let mut kernel = String::new();
    let mut of_modules = vec![String::new(); subjects.len()];
    let mut at = None;
    let mut seen = 0;
    for result in &reported {
        match result {
            Measured::Loaded(_) => {
                at = Some(seen);
                seen += 1;
            }
            Measured::Symbols(text) => match at {
                None => kernel.push_str(&String::from_utf8_lossy(text)),
                Some(at) => of_modules[at].push_str(&String::from_utf8_lossy(text)),
            },
            _ => {}
        }
    }
    let traced = subjects.iter().zip(traces).zip(of_modules);
    let profiled = traced.map(|((subject, traces), module)| {
        let debug_info = debug_info(subject);
        let mut symbols = symbols(&kernel, false);
        symbols.extend(self::symbols(&module, true));
        symbols.sort();
        let profiles = traces
            .into_iter()
            .map(|trace| Some(Profile::of(&trace?, &symbols, debug_info.as_ref())));
        profiles.collect()
    });
    Ok(profiled.collect())
}

/// Returns a module with fewer samples of its operations: caches are warm, and pages there, long
/// before the hundredth one.
fn with_fewer_samples(subject: &Subject) -> Subject {
    let mut subject = subject.clone();
    for named in &mut subject.operations {
        named.operation.samples = named.operation.samples.min(100);
    }
    subject
}

fn symbols(kallsyms: &str, is_module: bool) -> Symbols {
    let lines = kallsyms.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let address = u64::from_str_radix(fields.next()?, 16).ok()?;
        let name = fields.nth(1)?;
        // Kernels that pad functions have a symbol for the padding before each one.
        (!name.starts_with("__pfx_")).then(|| (address, name.to_owned(), is_module))
    });
    lines.collect()
}

type Traces = Vec<Vec<Option<BTreeMap<u64, u64>>>>;

/// Stops the guest at the markers, and counts how often each address is executed in between.
fn traces(
    socket: &Path,
    folder: &Path,
    results: &Results,
    over: &dyn Fn() -> bool,
) -> std::io::Result<Traces> {
    let mut stub = GdbStub::connect(socket)?;
    let mut all = Vec::new();
    for (n, subject) in results.subjects.iter().enumerate() {
        let counted = subject
            .operations
            .iter()
            .map(|o| matches!(o, OperationResult::Counted(_)));
        let mut traces = Vec::new();
        for (part, is_counted) in std::iter::once(true).chain(counted).enumerate() {
            // QEMU would append to a file that it has written already.
            let log = folder.join(format!("trace-{n}-{part}"));
            traces.push(match is_counted {
                true => Some(trace(&mut stub, results.markers, &log, over)?),
                false => None,
            });
        }
        all.push(traces);
    }
    stub.run_on()?;
    Ok(all)
}

fn trace(
    stub: &mut GdbStub,
    markers: Markers,
    log: &Path,
    over: &dyn Fn() -> bool,
) -> std::io::Result<BTreeMap<u64, u64>> {
    let run_to = |stub: &mut GdbStub, address| match stub.run_to(address, over)? {
        true => Ok(()),
        false => Err(std::io::Error::other("the guest ended before that")),
    };
    run_to(stub, markers.stop)?;
    stub.monitor(&format!("logfile {}", log.display()))?;
    stub.monitor("singlestep on")?;
    stub.monitor("log exec,nochain")?;
    run_to(stub, markers.end)?;
    stub.monitor("log none")?;
    stub.monitor("singlestep off")?;
    let mut counts = BTreeMap::new();
    let mut begun = false;
    for line in BufReader::new(File::open(log)?).lines() {
        // `Trace 0: 0x7f.. [00000000/ffffffff81000000/00000033/ff000000] name`
        let line = line?;
        let pc = line
            .strip_prefix("Trace ")
            .and_then(|rest| rest.split('/').nth(1));
        let pc = pc.and_then(|pc| u64::from_str_radix(pc, 16).ok());
        let Some(pc) = pc else {
            continue;
        };
        begun |= pc == markers.begin;
        if begun {
            *counts.entry(pc).or_default() += 1;
        }
    }
    let _ = std::fs::remove_file(log);
    Ok(counts)
}

/// Returns tables of the functions and of the module's lines that take most, with a column for
/// each module.
pub fn table(names: &[String], profiles: &[&Profile]) -> String {
    /// The number of functions that are shown, and that of lines.
    const MOST: usize = 25;
    const MOST_LINES: usize = 10;
    let sum = |name: &str, count: &dyn Fn(&Profile) -> u64| {
        let counts = profiles.iter().map(|p| count(p).to_string());
        std::iter::once(name.to_owned()).chain(counts).collect()
    };
    let mut rows: Vec<Vec<String>> = vec![
        sum("= module", &|p| p.module),
        sum("= shim", &|p| p.shim),
        sum("= kernel", &|p| p.kernel),
    ];
    rows.extend(most(profiles, MOST, |profile| &profile.functions));
    let table = |what, rows: &[Vec<String>]| {
        let mut header = vec![what];
        header.extend(names.iter().map(String::as_str));
        crate::ui::table(&header, rows)
    };
    let mut text = table("function", &rows);
    let lines = most(profiles, MOST_LINES, |profile| &profile.lines);
    if !lines.is_empty() {
        text.push_str(&format!("\n\n{}", table("line", &lines)));
    }
    text
}

/// Returns the rows of a table of what takes most.
fn most(
    profiles: &[&Profile],
    count: usize,
    of: impl Fn(&Profile) -> &BTreeMap<String, u64>,
) -> Vec<Vec<String>> {
    let mut all: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (n, profile) in profiles.iter().enumerate() {
        for (name, count) in of(profile) {
            all.entry(name).or_insert_with(|| vec![0; profiles.len()])[n] = *count;
        }
    }
    let mut all: Vec<(&str, Vec<u64>)> = all.into_iter().collect();
    all.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().max().copied()));
    all.truncate(count);
    let row = |(name, counts): (&str, Vec<u64>)| {
        let counts = counts.iter().map(u64::to_string);
        std::iter::once(name.to_owned()).chain(counts).collect()
    };
    all.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_belong_to_functions() {
        let kernel = "ffffffff81000000 T first\nffffffff81000010 t __pfx_second\n\
                      ffffffff81000020 t second\n";
        let module = "ffffffffc0000000 t koru_lock\t[m]\nffffffffc0000040 t own\t[m]\n";
        let mut all = symbols(kernel, false);
        all.extend(symbols(module, true));
        all.sort();
        let trace = [
            (0x40_0000, 3),
            (0xffff_ffff_8100_0004, 2),
            (0xffff_ffff_8100_0012, 1),
            (0xffff_ffff_8100_0020, 5),
            (0xffff_ffff_c000_0008, 7),
            (0xffff_ffff_c000_0040, 11),
        ];
        let profile = Profile::of(&trace.into_iter().collect(), &all, None);
        let parts = [
            profile.module,
            profile.shim,
            profile.kernel,
            profile.measuring,
        ];
        assert_eq!(parts, [11, 7, 8, 3]);
        let functions: Vec<(&str, u64)> = profile
            .functions
            .iter()
            .map(|(n, c)| (n.as_str(), *c))
            .collect();
        let wanted = [
            ("first", 3),
            ("koru_lock [m]", 7),
            ("own [m]", 11),
            ("second", 5),
        ];
        assert_eq!(functions, wanted);
    }
}
