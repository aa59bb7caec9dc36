// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs tests in a guest.
//!
//! A test binary is an ordinary one of cargo's, linked statically. It lists its tests on
//! this machine and runs them in a guest, one at a time, each in a process of its own: so
//! what the kernel says meanwhile belongs to one test, and a test that brings its kernel
//! down takes no other with it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use koru_error::{Error, Result};
use koru_kernels::{KernelTree, Progress};
use koru_klog::{ComplaintKind, LogRecord};
use koru_protocol::{Exec, TEST_SKIPPED};
use koru_qemu::Initramfs;
use koru_session::{ProcessEvent, Session};
use koru_vm::Guest;

use crate::{
    cli::MachineArgs,
    context::Context,
    guest::{self, module_path},
    log::oops::{self, Log},
    programs,
    testing::result::{Cause, Failure, TestResult},
};

/// How long a test may take, on a busy machine too; one that hangs must not stop the
/// others.
const LIMIT: Duration = Duration::from_secs(300);

/// How much later a test that the guest itself could not end is given up.
const AFTER_LIMIT: Duration = Duration::from_secs(10);

/// How long a test may go on after an oops.
const AFTER_OOPS: Duration = Duration::from_secs(2);

/// What a test binary runs with.
pub struct TestEnvironment<'a> {
    pub binary: &'a Path,
    /// The modules that lie in the guest: name and file.
    pub kos: &'a [(String, PathBuf)],
    /// Other files there.
    pub files: &'a [(String, Vec<u8>)],
    pub env: &'a [(String, String)],
    /// How long a test may take.
    pub limit: Duration,
    /// Taint bits that the module may set.
    pub taint: u64,
    pub machine: &'a MachineArgs,
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
        }
    }

    /// Boots a guest with all of it.
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
        guest::start(context, tree, root, self.machine)
    }

    /// Makes a guest of the same kind ready that ran another binary: what it has run
    /// already, an emulator does not translate again. None if a module was left there.
    pub fn take_over(&self, guest: Guest) -> Option<Guest> {
        let session = guest.session();
        let clean = session.list().is_ok_and(|modules| modules.is_empty());
        let binary = clean.then(|| fs::read(self.binary).ok())??;
        session.put_file(BINARY, 0o755, &binary).ok()?;
        Some(guest)
    }
}

/// Runs the named tests, in `guest` first; one that is lost is replaced. The last one
/// is left there.
pub fn run_tests(
    context: &Context,
    tree: &KernelTree,
    environment: &TestEnvironment,
    guest: &mut Option<Guest>,
    tests: &[(String, bool)],
    tell: &dyn Fn(&TestResult),
) -> Result<Vec<TestResult>> {
    let mut results = Vec::new();
    for (name, ignored) in tests {
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
                None => environment.start(context, tree)?,
            };
            context.ui.status(&format!("test {name}"));
            let begun = Instant::now();
            let one = one(context, up.session(), environment, name);
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

/// Ends a guest that tests have left, if they did.
pub fn power_off(guest: Option<Guest>) -> Result<()> {
    guest.map_or(Ok(()), |guest| guest.power_off().map_err(Error::from))
}

const BINARY: &str = "/tests/run";

/// The kernel's TAINT_BAD_PAGE, which KASAN sets as well.
const BAD_MEMORY: u64 = 1 << 5;

/// What came of one test.
struct Tried {
    failure: Option<Failure>,
    /// Why it could not be run.
    skipped: Option<String>,
    /// Whether the guest can go on.
    usable: bool,
}

/// Runs one test.
fn one(context: &Context, session: &Session, environment: &TestEnvironment, name: &str) -> Tried {
    let mut said = TestOutput::default();
    let mut begin = 0;
    let mut skipped = None;
    let mut usable = true;
    let outcome = (|| -> koru_session::Result<Option<(Cause, String)>> {
        let taint = session.taint()? | environment.taint;
        begin = session.mark()?;
        let end = run_one(session, environment, name, begin, &mut said)?;
        if matches!(end, TestExit::Stuck) {
            // The stacks of those who wait go into the log.
            let ask = ["sh", "-c", "echo w > /proc/sysrq-trigger"];
            session.output(Exec::new(ask))?;
        }
        // What the kernel says tells more than how the test ended.
        if let Some(complaint) = session.complaint_since(begin, taint)? {
            let why = format!("the kernel complained: {complaint}");
            return Ok(Some((Cause::Complaint(complaint), why)));
        }
        // KASAN tells of the first fault only.
        usable = session.taint()? & BAD_MEMORY == 0;
        let seconds = environment.limit.as_secs();
        Ok(match end {
            TestExit::Exit(0) => None,
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
        let decoder = oops::decoder(context);
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
            // The records come beside the test's end, not before it.
            let _ = session.mark();
            let by_itself = matches!(cause, Cause::Test | Cause::Timeout);
            // An oops or a module left behind must not colour the next test.
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

/// Whether nothing is left for the next test to stumble over: a test that passes may have
/// a module that has to stay, and one that is skipped may have loaded one before.
fn has_no_module(session: &Session) -> bool {
    session.list().is_ok_and(|modules| modules.is_empty())
}

/// The answer to a hang ends in a panic, which is not the kernel's complaint; an
/// oops before it is.
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

/// A test's output. Its two pipes are read at no fixed pace: a long panic must not
/// be torn by what the test harness prints.
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

/// How a test's process came to its end.
enum TestExit {
    Exit(i32),
    /// Not at all, after an oops or because of a module that has to stay. It may wait
    /// for ever: for the thread that the kernel killed, or a lock of its.
    Oopsed,
    /// Not at all.
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
        // A limit inside the guest: the command's whole group is killed there.
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
    // On a thread of its own, which ends with the process or with the guest.
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
            Err(_) if begun.elapsed() > environment.limit + AFTER_LIMIT => {
                return Ok(TestExit::Stuck);
            }
            Err(_) => {
                // With what the test itself has said of it.
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
