// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the program of a contract that checks a promise.

use std::{
    fs,
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use koru_error::{IoContext, Result};
use koru_judge::{Broken, Tap};
use koru_protocol::Exec;
use koru_session::{ProcessEvent, Session};

use crate::{context::Context, testing::program_tests::compiled};

/// Where the program is in the guest.
const PATH: &str = "/tests/check";

/// The status of a program that `timeout` has killed.
const KILLED: i32 = 137;

/// How much longer to wait for a program that the guest itself could not end.
const AFTER_LIMIT: Duration = Duration::from_secs(10);

/// The number of bytes of a program's output that are kept.
const MOST_OUTPUT: usize = 1 << 20;

/// The number of characters of a program's output that a report has.
const MOST: usize = 2000;

/// A program that is ready for a guest.
pub struct CheckProgram {
    content: Vec<u8>,
    is_ioshell: bool,
}

/// What a program found: how much of the promise is kept, from 0 to 1.
pub struct Checked {
    pub part: f64,
    pub broken: Option<Broken>,
}

/// Compiles a source of the contract, or takes a program or script as it is.
pub fn check_program(context: &Context, file: &Path) -> Result<CheckProgram> {
    // Contracts have their paths as they are shown, and the compiler runs elsewhere.
    let file = &*context.cwd.join(file);
    let ending = file.extension().and_then(|e| e.to_str());
    let ready = match ending {
        Some("c" | "rs") => compiled(context, file)?,
        _ => file.to_owned(),
    };
    Ok(CheckProgram {
        content: fs::read(&ready).path_context("reading", &ready)?,
        is_ioshell: ending == Some("ioshell"),
    })
}

impl CheckProgram {
    /// Runs the program in a guest in which the module is loaded.
    pub fn run(
        &self,
        session: &Session,
        names: &[(String, String)],
        limit: Duration,
        interrupted: &AtomicBool,
    ) -> koru_session::Result<Checked> {
        session.put_file(PATH, 0o755, &self.content)?;
        let seconds = limit.as_secs().max(1).to_string();
        let mut argv = vec!["timeout", "-s", "KILL", &seconds];
        match self.is_ioshell {
            true => argv.extend(["/bin/ioshell", "--strict", "--script", PATH]),
            false => argv.push(PATH),
        }
        let env = names.iter().map(|(name, value)| {
            let name = name.to_uppercase().replace('-', "_");
            (format!("CONTRACT_{name}"), value.clone())
        });
        let exec = Exec {
            env: env.collect(),
            ..Exec::new(argv)
        };
        let (status, text) = output(session, exec, limit + AFTER_LIMIT, interrupted)?;
        let end = |text: &str| -> String {
            let from = text.chars().count().saturating_sub(MOST);
            text.chars()
                .skip(from)
                .collect::<String>()
                .trim()
                .to_owned()
        };
        let broken = |promised: &str, seen: String| {
            Some(Broken {
                promised: promised.to_owned(),
                seen,
            })
        };
        if status == KILLED {
            let seen = format!("it had not ended after {seconds} s");
            let broken = broken("the checking program ends", seen);
            return Ok(Checked { part: 0.0, broken });
        }
        Ok(match Tap::parse(&text) {
            Some(tap) if tap.failed.is_empty() && status == 0 => Checked {
                part: 1.0,
                broken: None,
            },
            Some(tap) => {
                let mut seen = tap.failed.join("; ");
                if seen.is_empty() {
                    seen = format!("the program ended with status {status}");
                }
                Checked {
                    part: tap.passed as f64 / tap.all as f64,
                    broken: broken("all results are ok", end(&seen)),
                }
            }
            None if status == 0 => Checked {
                part: 1.0,
                broken: None,
            },
            None => {
                let all = end(&text);
                let seen = format!("the program ended with status {status}: {all}");
                Checked {
                    part: 0.0,
                    broken: broken("the program finds nothing wrong", seen),
                }
            }
        })
    }
}

/// Runs a command, and returns its status and the beginning of its output. The kernel may be unable
/// to end it: then the status is that of a command that was killed.
fn output(
    session: &Session,
    exec: Exec,
    limit: Duration,
    interrupted: &AtomicBool,
) -> koru_session::Result<(i32, String)> {
    let process = session.exec(exec)?;
    let (to, events) = channel();
    // The thread ends with the process, or with the guest.
    thread::spawn(move || {
        loop {
            let event = process.next();
            let last = matches!(event, Err(_) | Ok(ProcessEvent::Exited(_)));
            if to.send(event).is_err() || last {
                break;
            }
        }
    });
    let end = Instant::now() + limit;
    let mut said = Vec::new();
    let text = |said: Vec<u8>| String::from_utf8_lossy(&said).into_owned();
    loop {
        match events.recv_timeout(Duration::from_millis(100)) {
            Ok(event) => match event? {
                ProcessEvent::Started(_) => {}
                ProcessEvent::Stdout(bytes) | ProcessEvent::Stderr(bytes) => {
                    let room = MOST_OUTPUT.saturating_sub(said.len());
                    said.extend(bytes.into_iter().take(room));
                }
                ProcessEvent::Exited(exit) => return Ok((exit.status(), text(said))),
            },
            Err(RecvTimeoutError::Disconnected) => return Ok((KILLED, text(said))),
            Err(RecvTimeoutError::Timeout) => {}
        }
        // A program may print without end, so the time is looked at after each event.
        if Instant::now() >= end || interrupted.load(Ordering::Relaxed) {
            return Ok((KILLED, text(said)));
        }
    }
}
