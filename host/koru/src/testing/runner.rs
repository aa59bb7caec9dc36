// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs tests in a guest.
//!
//! A test binary is an ordinary one of cargo's, linked statically. It lists its tests on this
//! machine and runs them in a guest, one at a time and each in a process of its own. So what
//! the kernel logs meanwhile belongs to one test, and a test that brings its kernel down
//! affects no other test.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
    time::{Duration, Instant},
};

use koru_error::{Error, Result};
use koru_kernels::{KernelTree, Progress};
use koru_klog::{Complaint, ComplaintKind, LogRecord};
use koru_protocol::{Exec, Inventory, TEST_SKIPPED};
use koru_qemu::Initramfs;
use koru_session::{ProcessEvent, Session};
use koru_vm::Guest;

use crate::{
    cli::MachineArgs,
    context::Context,
    guest::{self, module_path},
    log::{
        baseline::Baseline,
        oops::{self, Log},
    },
    programs,
    testing::{
        coverage::CoverageRun,
        result::{Cause, Failure, TestResult},
    },
};

/// How long a test may take, even on a busy machine. A test that hangs must not stop the
/// others.
const LIMIT: Duration = Duration::from_secs(300);

/// How much longer to wait for a test that the guest itself could not end.
const AFTER_LIMIT: Duration = Duration::from_secs(10);

/// How long a test may continue after an oops.
const AFTER_OOPS: Duration = Duration::from_secs(2);

/// The environment in which a test binary runs.
pub struct TestEnvironment<'a> {
    pub binary: &'a Path,
    /// The modules in the guest: name and file.
    pub kos: &'a [(String, PathBuf)],
    /// Other files in the guest.
    pub files: &'a [(String, Vec<u8>)],
    pub env: &'a [(String, String)],
    /// How long a test may take.
    pub limit: Duration,
    /// Taint bits that the module may set.
    pub taint: u64,
    pub machine: &'a MachineArgs,
    /// Becomes true when the user wants to end the tests.
    pub interrupted: Arc<AtomicBool>,
    /// What records the executed code, and the name of these tests in its report.
    pub coverage: Option<(&'a CoverageRun, &'a str)>,
}

impl<'a> TestEnvironment<'a> {
    pub fn new(
        binary: &'a Path,
        kos: &'a [(String, PathBuf)],
        machine: &'a MachineArgs,
    ) -> TestEnvironment<'a> {
        TestEnvironment {
            binary,
            kos,
            files: &[],
            env: &[],
            limit: LIMIT,
            taint: 0,
            machine,
            interrupted: Arc::default(),
            coverage: None,
        }
    }

    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Boots a guest with all modules and files.
    pub fn start(&self, context: &Context, tree: &KernelTree) -> Result<Guest> {
        let mut root = Initramfs::new();
        root.file(BINARY, self.binary)?;
        for (name, path) in self.kos {
            root.file(&module_path(name), path)?;
        }
        for (path, bytes) in self.files {
            root.bytes(path, 0o644, bytes.clone());
        }
        programs::put(context, &mut root, &programs::names(&context.home.root))?;
        match self.coverage {
            None => guest::start(context, tree, root, self.machine),
            Some((coverage, suite)) => {
                let config = guest::config(context, tree, root, self.machine)?;
                coverage.start(config, tree, self.kos, suite)
            }
        }
    }

    /// Prepares a guest of the same kind that ran another binary: an emulator does not
    /// translate again what such a guest has run already. Returns `None` if a module was left
    /// in the guest.
    pub fn take_over(&self, guest: Guest) -> Option<Guest> {
        let session = guest.session();
        let clean = session.list().is_ok_and(|modules| modules.is_empty());
        let binary = clean.then(|| fs::read(self.binary).ok())??;
        session.put_file(BINARY, 0o755, &binary).ok()?;
        if let Some((coverage, suite)) = self.coverage {
            coverage.next_suite(&guest, suite).ok()?;
        }
        Some(guest)
    }
}

/// Runs the named tests, first in `guest`. A guest that is lost is replaced, and the last
/// guest is left in `guest`. An interruption ends the tests; there is no result for the test
/// that was running then.
pub fn run_tests(
    context: &Context,
    tree: &KernelTree,
    environment: &TestEnvironment,
    guest: &mut Option<Guest>,
    tests: &[(String, bool)],
    tell: &dyn Fn(&TestResult),
) -> Result<Vec<TestResult>> {
    let mut results = Vec::new();
    let mut before = None;
    for (name, ignored) in tests {
        if environment.is_interrupted() {
            break;
        }
        let result = if *ignored {
            TestResult {
                name: name.clone(),
                took: Duration::ZERO,
                failure: None,
                ignored: Some(String::new()),
            }
        } else {
            let up = match guest.take() {
                Some(guest) => guest,
                None => {
                    before = None;
                    match environment.start(context, tree) {
                        // Ctrl-C reaches QEMU as well.
                        Err(_) if environment.is_interrupted() => break,
                        started => started?,
                    }
                }
            };
            context.ui.status(&format!("test {name}"));
            let begun = Instant::now();
            let one = one(context, up.session(), environment, name, &mut before);
            if environment.is_interrupted() {
                break;
            }
            if one.usable {
                *guest = Some(up);
            }
            TestResult {
                name: name.clone(),
                took: begun.elapsed(),
                failure: one.failure,
                ignored: one.skipped,
            }
        };
        tell(&result);
        results.push(result);
    }
    Ok(results)
}

/// Powers off the guest that tests have left, if any.
pub fn power_off(guest: Option<Guest>) -> Result<()> {
    guest.map_or(Ok(()), |guest| guest.power_off().map_err(Error::from))
}

const BINARY: &str = "/tests/run";

/// The taint bit TAINT_BAD_PAGE, which KASAN sets as well.
const BAD_MEMORY: u64 = 1 << 5;

/// What one attempt to run a test led to.
struct Tried {
    failure: Option<Failure>,
    /// The reason why the test could not run.
    skipped: Option<String>,
    /// Whether the guest can run other tests.
    usable: bool,
}

/// Runs one test. `before` is the inventory of the guest without modules, which is taken before
/// the first test.
fn one(
    context: &Context,
    session: &Session,
    environment: &TestEnvironment,
    name: &str,
    before: &mut Option<Inventory>,
) -> Tried {
    let mut said = TestOutput::default();
    let mut begin = 0;
    let mut skipped = None;
    let mut usable = true;
    let outcome = (|| -> koru_session::Result<Option<(Cause, String)>> {
        if before.is_none() {
            *before = Some(session.inventory()?);
        }
        let mut baseline = Baseline::of(session)?;
        baseline.taint |= environment.taint;
        begin = baseline.mark;
        let end = run_one(session, environment, name, begin, &mut said)?;
        if matches!(end, TestExit::Stuck) {
            // This writes the stacks of the waiting tasks to the log.
            let ask = ["sh", "-c", "echo w > /proc/sysrq-trigger"];
            session.output(Exec::new(ask))?;
        }
        // A complaint of the kernel says more than how the test ended.
        if let Some(complaint) = baseline.complaint(session)? {
            return Ok(Some(complained(complaint)));
        }
        // KASAN reports only the first fault.
        usable = session.taint()? & BAD_MEMORY == 0;
        let seconds = environment.limit.as_secs();
        Ok(match end {
            TestExit::Exit(0) => match before {
                Some(before) if has_no_module(session) => {
                    let left = session.left_behind(before, None)?.sentence();
                    // The inventory makes the kernel look at all memory that it has allocated.
                    match baseline.complaint(session)? {
                        Some(complaint) => Some(complained(complaint)),
                        None => left.and_then(|left| {
                            // What is left would be found again after the next test.
                            usable = false;
                            let log = session.log_since(begin);
                            let announced = koru_klog::announcements(&log);
                            let is_it = announced.iter().any(|text| left.contains(text));
                            (!is_it).then_some((Cause::LeftBehind, left))
                        }),
                    }
                }
                _ => None,
            },
            TestExit::Exit(TEST_SKIPPED) => {
                let output = said.text();
                skipped = output.lines().last().map(|why| why.trim().to_owned());
                None
            }
            TestExit::Exit(101) => Some((Cause::Test, "the test failed".to_owned())),
            TestExit::Exit(137) => Some((Cause::Timeout, format!("killed after {seconds} s"))),
            TestExit::Exit(code) => {
                Some((Cause::Test, format!("the test ended with status {code}")))
            }
            TestExit::Oopsed => Some((Cause::Unkillable, "an oops stopped the test".to_owned())),
            TestExit::Stuck => Some((
                Cause::Unkillable,
                format!("it could not be killed after {seconds} s"),
            )),
        })
    })();
    let failed = |usable: bool, cause: Cause, why: String, records: &[LogRecord]| {
        let decoder = oops::decoder_of(context, session);
        Tried {
            failure: Some(Failure {
                cause,
                why: decoder.sentence(&why),
                output: said.text(),
                log: Log::new(context, &decoder, records),
            }),
            skipped: None,
            usable,
        }
    };
    match outcome {
        Ok(None) => Tried {
            failure: None,
            skipped,
            usable: usable && has_no_module(session),
        },
        Ok(Some((cause, why))) => {
            // The records arrive independently of the test's end, and not before it.
            let _ = session.mark();
            let by_itself = matches!(cause, Cause::Test | Cause::Timeout);
            if !by_itself {
                session.learn_former_sections();
            }
            // An oops or a module that was left loaded must not affect the next test.
            let usable = usable && by_itself && has_no_module(session);
            failed(usable, cause, why, &session.log_since(begin))
        }
        Err(error) => {
            let mut records = session.log_since(begin);
            for record in error.records() {
                if records.last().is_none_or(|l| record.seq > l.seq) {
                    records.push(record.clone());
                }
            }
            let cause = cause_of_loss(&error, &records);
            failed(false, cause, error.to_string(), &records)
        }
    }
}

fn complained(complaint: Complaint) -> (Cause, String) {
    let why = format!("the kernel complained: {complaint}");
    (Cause::Complaint(complaint), why)
}

/// Returns whether no module is loaded. A test that passes may leave a module that has to
/// stay, and a test that is skipped may have loaded a module before; neither may be left to
/// the next test.
fn has_no_module(session: &Session) -> bool {
    session.list().is_ok_and(|modules| modules.is_empty())
}

/// Returns the cause of the loss of a guest. The NMI after a hang makes the kernel panic,
/// which is not a complaint of the kernel's; an oops before it is.
fn cause_of_loss(error: &koru_session::Error, records: &[LogRecord]) -> Cause {
    use ComplaintKind as K;
    let hung = matches!(
        error,
        koru_session::Error::Hung { .. } | koru_session::Error::Timeout { .. }
    );
    match koru_klog::first_complaint(records) {
        Some(c) if !hung || matches!(c.kind, K::Oops | K::Bug | K::Sanitizer) => {
            Cause::Complaint(c)
        }
        _ if hung => Cause::Hang,
        _ => Cause::GuestDied,
    }
}

/// A test's output. The two pipes are read at no fixed pace, so they are kept apart: the test
/// harness must not tear a long panic message apart.
#[derive(Default)]
struct TestOutput {
    out: Vec<u8>,
    err: Vec<u8>,
}

impl TestOutput {
    fn text(&self) -> String {
        let parts = [&self.out, &self.err].map(|bytes| String::from_utf8_lossy(bytes));
        parts.concat()
    }
}

/// How a test's process ended.
enum TestExit {
    Exit(i32),
    /// The process did not end after an oops, or because of a module that has to stay. It may
    /// wait for ever: for the thread that the kernel killed, or for one of that thread's
    /// locks.
    Oopsed,
    /// The process did not end.
    Stuck,
}

fn run_one(
    session: &Session,
    environment: &TestEnvironment,
    name: &str,
    begin: u64,
    said: &mut TestOutput,
) -> koru_session::Result<TestExit> {
    let mut env = vec![("RUST_BACKTRACE".to_owned(), "0".to_owned())];
    env.extend_from_slice(environment.env);
    let process = session.exec(Exec {
        // The limit applies inside the guest, where the command's whole group is killed.
        env,
        ..Exec::new([
            "timeout",
            "-s",
            "KILL",
            &environment.limit.as_secs().to_string(),
            BINARY,
            "--exact",
            name,
            "--nocapture",
            "--include-ignored",
            "--test-threads=1",
        ])
    })?;
    // Events are read on a thread of their own, which ends with the process or with the guest.
    let (to, events) = channel();
    std::thread::spawn(move || {
        loop {
            let event = process.next();
            let last = matches!(event, Err(_) | Ok(ProcessEvent::Exited(_)));
            if to.send(event).is_err() || last {
                break;
            }
        }
    });
    let mut log = session.follow(begin);
    let begun = Instant::now();
    let mut oopsed: Option<Instant> = None;
    loop {
        match events.recv_timeout(Duration::from_millis(100)) {
            Ok(event) => match event? {
                ProcessEvent::Started(_) => {}
                ProcessEvent::Stdout(bytes) => said.out.extend(bytes),
                ProcessEvent::Stderr(bytes) => said.err.extend(bytes),
                ProcessEvent::Exited(exit) => return Ok(TestExit::Exit(exit.status())),
            },
            Err(_) if oopsed.is_some_and(|at| at.elapsed() > AFTER_OOPS) => {
                return Ok(TestExit::Oopsed);
            }
            Err(_) if environment.is_interrupted() => return Ok(TestExit::Exit(0)),
            Err(_) if begun.elapsed() > environment.limit + AFTER_LIMIT => {
                return Ok(TestExit::Stuck);
            }
            Err(_) => {
                // The test's own messages are included: they may announce that the complaint
                // is expected.
                let kills = |r: &LogRecord| {
                    let mut told = session.log_since(begin);
                    told.retain(|other| other.facility != 0 || other.seq == r.seq);
                    let found = koru_klog::first_complaint(&told);
                    found.is_some_and(|c| {
                        use ComplaintKind as K;
                        matches!(c.kind, K::Oops | K::Bug | K::StillRegistered)
                    })
                };
                if oopsed.is_none() && log.next(Duration::ZERO)?.iter().any(kills) {
                    oopsed = Some(Instant::now());
                }
            }
        }
    }
}
