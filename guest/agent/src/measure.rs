// SPDX-License-Identifier: MIT OR Apache-2.0

//! Counts what system calls take. In a machine whose counter ticks with the instructions
//! (`koru_vm::Replay`), these are exact numbers of instructions.

use std::{
    ffi::CString,
    fs::{self, File},
    io::{self, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

use koru_protocol::{
    Counts, Decoder, LoadCounts, MEASUREMENT, Markers, Measured, MeasuredModule, Measurement,
    ModuleFile, ModuleRow, Operation, encode,
};
use rustix::{
    io::Errno,
    system::{delete_module, finit_module},
    time::{ClockId, clock_gettime},
};

use crate::{
    measure_steps::{Failed, Prepared, Steps},
    scheduling::limit_time,
    x86::ticks,
};

/// The role of the process that measures.
pub const MEASURE: &str = "measure";

/// The pause before everything, in which the kernel finishes what it began at boot.
const SETTLE: Duration = Duration::from_secs(10);

/// The additional pause if a debugger connects in it. In a guest that idles, it is over in a
/// second or two.
const TRACED_SETTLE: Duration = Duration::from_secs(1200);

/// The pause before each operation, in which the agent takes what the kernel has logged.
const PAUSE: Duration = Duration::from_millis(50);

/// The time in seconds of the guest after which an operation counts as stuck.
const LIMIT_SECONDS: u32 = 20;

/// Does the measurement in the file [`MEASUREMENT`], and writes the results to standard output.
pub fn measure_here() -> ExitCode {
    let mut measurement = None;
    let bytes = fs::read(MEASUREMENT).unwrap_or_default();
    Decoder::default().feed(&bytes, |m: Measurement| measurement = Some(m));
    let Some(measurement) = measurement else {
        eprintln!("koru-agent: {MEASUREMENT} has no measurement");
        return ExitCode::FAILURE;
    };
    thread::sleep(SETTLE);
    if measurement.traced {
        // A debugger connects meanwhile.
        thread::sleep(TRACED_SETTLE);
    }
    match all(&measurement) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("koru-agent: measuring: {error}");
            ExitCode::FAILURE
        }
    }
}

fn all(measurement: &Measurement) -> io::Result<()> {
    report(&Measured::Markers(Markers {
        stop: stop_to_trace as extern "C" fn() as usize as u64,
        begin: begin_traced as extern "C" fn() as usize as u64,
        end: end_traced as extern "C" fn() as usize as u64,
    }))?;
    for floor in &measurement.floors {
        report(&operation(floor, false))?;
    }
    if measurement.traced {
        report_symbols(None)?;
    }
    for module in &measurement.modules {
        let mut needed = Vec::new();
        for file in &module.needs {
            insert(file, "")?;
            needed.push(file);
        }
        match measure_module(module, measurement.traced) {
            Ok(()) => {}
            Err(Refusal::Output(error)) => return Err(error),
            Err(Refusal::Module { unload, errno }) => {
                report(&Measured::Refused {
                    unload,
                    errno: errno.raw_os_error(),
                })?;
                // What would follow is not what was asked for.
                return Ok(());
            }
        }
        for file in needed.into_iter().rev() {
            remove(file)?;
        }
    }
    Ok(())
}

/// Why a module could not be measured.
enum Refusal {
    Module { unload: bool, errno: Errno },
    Output(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::Output(error)
    }
}

fn measure_module(module: &MeasuredModule, traced: bool) -> Result<(), Refusal> {
    let params = module.params.join(" ");
    let load = || {
        let errno = |errno| Refusal::Module {
            unload: false,
            errno,
        };
        insert(&module.file, &params).map_err(errno)
    };
    let unload = || {
        let errno = |errno| Refusal::Module {
            unload: true,
            errno,
        };
        remove(&module.file).map_err(errno)
    };
    let (mut loads, mut unloads) = (Vec::new(), Vec::new());
    let mut resident = 0;
    for _ in 0..module.loads {
        loads.push(load()?);
        resident = size(&module.file.name);
        unloads.push(unload()?);
    }
    report(&Measured::Loaded(LoadCounts {
        load: median(&mut loads),
        unload: median(&mut unloads),
        resident,
    }))?;
    if module.operations.is_empty() && !traced {
        return Ok(());
    }
    if traced {
        prepare_tracing();
        begin_traced();
    }
    load()?;
    if traced {
        end_traced();
        report_symbols(Some(&module.file.name))?;
    }
    for asked in &module.operations {
        thread::sleep(PAUSE);
        report(&operation(asked, traced))?;
    }
    unload().map(drop)
}

/// Loads a module, and returns the time that this thread worked for it, in nanoseconds.
fn insert(module: &ModuleFile, params: &str) -> Result<u64, Errno> {
    let io = |e: io::Error| Errno::from_io_error(&e).unwrap_or(Errno::IO);
    let file = File::open(&module.path).map_err(io)?;
    let params = CString::new(params).map_err(|_| Errno::INVAL)?;
    let begin = worked();
    finit_module(&file, &params, 0)?;
    Ok(worked() - begin)
}

/// Unloads a module, and returns the time that this thread worked for it, in nanoseconds.
fn remove(module: &ModuleFile) -> Result<u64, Errno> {
    let name = CString::new(module.name.as_str()).map_err(|_| Errno::INVAL)?;
    let begin = worked();
    delete_module(&name, libc::O_NONBLOCK)?;
    Ok(worked() - begin)
}

/// Returns the time for which this thread has worked, in nanoseconds.
fn worked() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Returns the number of bytes that a loaded module occupies.
fn size(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/modules").unwrap_or_default();
    let row = text.lines().filter_map(ModuleRow::parse);
    row.filter(|row| row.name == name).map(|row| row.size).sum()
}

/// Counts an operation.
fn operation(asked: &Operation, traced: bool) -> Measured {
    limit_time(LIMIT_SECONDS);
    let result = Steps::run_alone(|steps| -> Result<Counts, Failed> {
        steps.all(&Prepared::new(&asked.once))?;
        let [before, counted, after] =
            [&asked.before, &asked.counted, &asked.after].map(|part| Prepared::new(part));
        let overhead = overhead(steps, counted.len())?;
        let mut samples = Vec::with_capacity(asked.samples as usize);
        let mut returned = 0;
        for _ in 0..asked.samples {
            steps.all(&before)?;
            let begin = ticks();
            let result = steps.all(&counted);
            let end = ticks();
            returned = result?;
            samples.push((end - begin).saturating_sub(overhead));
            steps.all(&after)?;
        }
        if traced {
            steps.all(&before)?;
            prepare_tracing();
            begin_traced();
            let result = steps.all(&counted);
            end_traced();
            result?;
            steps.all(&after)?;
        }
        let median = median(&mut samples);
        Ok(Counts {
            median,
            least: samples.first().copied().unwrap_or(0),
            most: samples.last().copied().unwrap_or(0),
            returned,
        })
    });
    limit_time(0);
    match result {
        Ok(counts) => Measured::Operation(counts),
        Err(failed) => Measured::Failed {
            step: failed.step,
            errno: failed.errno.raw_os_error(),
        },
    }
}

/// Returns the ticks that counting itself takes, with as many steps that do nothing.
fn overhead(steps: &mut Steps, count: usize) -> Result<u64, Failed> {
    let nothing = Prepared::nothing(count);
    let mut least = u64::MAX;
    for _ in 0..16 {
        let begin = ticks();
        let result = steps.all(&nothing);
        let end = ticks();
        result?;
        least = least.min(end - begin);
    }
    Ok(least)
}

/// Sorts the numbers, and returns the middle one.
fn median(numbers: &mut [u64]) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

fn report(result: &Measured) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(&encode(result))?;
    out.flush()
}

/// Lets the debugger stop the guest, and then the interrupts come that this has delayed.
fn prepare_tracing() {
    stop_to_trace();
    for n in 0..20_000 {
        std::hint::black_box(n);
    }
}

/// Is called where the debugger may stop the guest.
#[inline(never)]
extern "C" fn stop_to_trace() {
    std::hint::black_box(3);
}

/// Is called before what is traced.
#[inline(never)]
extern "C" fn begin_traced() {
    std::hint::black_box(1);
}

/// Is called after what is traced.
#[inline(never)]
extern "C" fn end_traced() {
    std::hint::black_box(2);
}

/// Reports the symbols of a module, or those of the kernel itself.
fn report_symbols(module: Option<&str>) -> io::Result<()> {
    /// The number of bytes of one part, which fits into a frame.
    const PART: usize = 256 * 1024;
    let text = fs::read_to_string("/proc/kallsyms")?;
    let tag = module.map(|name| format!("[{name}]"));
    let lines = text.lines().filter(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let is_code = fields.next().is_some_and(|kind| "tTwW".contains(kind));
        is_code && fields.nth(1) == tag.as_deref()
    });
    let mut part = Vec::new();
    for line in lines {
        part.extend(line.bytes());
        part.push(b'\n');
        if part.len() > PART {
            report(&Measured::Symbols(std::mem::take(&mut part)))?;
        }
    }
    report(&Measured::Symbols(part))
}
