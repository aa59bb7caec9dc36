// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a command on a target with this program's own input, output and terminal.

use std::{
    io::{IsTerminal, Read, Write},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use koru_error::{Errno, Error, Result};
use koru_protocol::{Exec, Exit, TtySize};
use koru_session::{ProcessEvent, Session, StdinWriter};
use rustix::process::Signal;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::{consts::SIGWINCH, iterator::Signals};

/// Ctrl-], by which telnet and the like are left.
const LEAVE: u8 = 0x1d;

/// The exit status, as a shell reports it, of a command that SIGPIPE has ended.
const ENDED_BY_SIGPIPE: u8 = 128 + 13;

/// Runs a command to its end and returns the exit status that a shell would.
pub fn run(session: &Session, argv: &[String]) -> Result<u8> {
    run_until(session, argv, Exec::default(), None)
}

/// Runs a command like [`run`], in the folder and with the variables of `surroundings`.
pub fn run_in(session: &Session, argv: &[String], surroundings: Exec) -> Result<u8> {
    run_until(session, argv, surroundings, None)
}

/// Runs a command like [`run`]; on a terminal, Ctrl-] ends it.
pub fn run_shell(session: &Session, argv: &[String]) -> Result<u8> {
    run_until(session, argv, Exec::default(), Some(LEAVE))
}

fn run_until(
    session: &Session,
    argv: &[String],
    surroundings: Exec,
    leave: Option<u8>,
) -> Result<u8> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut exec = Exec {
        argv: argv.to_vec(),
        stdin: true,
        tty: terminal.then(window),
        ..surroundings
    };
    exec.env
        .extend(std::env::var("TERM").ok().map(|t| ("TERM".into(), t)));
    let failed = |e| not_started(session, argv, e);
    let process = session.exec(exec).map_err(failed)?;
    let _raw = if terminal {
        follow_window(process.stdin());
        Raw::enter()
    } else {
        None
    };
    let input = process.stdin();
    // This thread ends with the program, or when the command no longer reads.
    let left = Arc::new(AtomicBool::new(false));
    let (leaving, leave) = (left.clone(), leave.filter(|_| terminal));
    std::thread::spawn(move || forward_input(input, leave, &leaving));
    loop {
        let written = match process.next().map_err(failed)? {
            ProcessEvent::Started(_) => Ok(()),
            ProcessEvent::Stdout(bytes) => put(&mut std::io::stdout(), &bytes),
            ProcessEvent::Stderr(bytes) => put(&mut std::io::stderr(), &bytes),
            ProcessEvent::Exited(_) if left.load(Ordering::Relaxed) => return Ok(0),
            ProcessEvent::Exited(exit) => return Ok(status(exit)),
        };
        if written.is_err() {
            // The reader of our output is gone, so the command has to end as well.
            let _ = process.signal(Signal::PIPE.as_raw());
            return Ok(ENDED_BY_SIGPIPE);
        }
    }
}

/// Runs a command without input and without a terminal; `take` receives its output.
pub fn run_alone(
    session: &Session,
    argv: &[String],
    surroundings: Exec,
    take: &dyn Fn(&ProcessEvent) -> std::io::Result<()>,
) -> Result<u8> {
    let exec = Exec {
        argv: argv.to_vec(),
        ..surroundings
    };
    let failed = |e| not_started(session, argv, e);
    let process = session.exec(exec).map_err(failed)?;
    loop {
        let event = process.next().map_err(failed)?;
        if let ProcessEvent::Exited(exit) = event {
            return Ok(status(exit));
        }
        if take(&event).is_err() {
            let _ = process.signal(Signal::PIPE.as_raw());
            return Ok(ENDED_BY_SIGPIPE);
        }
    }
}

/// Shows a command's output as this program's own.
pub fn show(event: &ProcessEvent) -> std::io::Result<()> {
    match event {
        ProcessEvent::Stdout(bytes) => put(&mut std::io::stdout(), bytes),
        ProcessEvent::Stderr(bytes) => put(&mut std::io::stderr(), bytes),
        _ => Ok(()),
    }
}

pub fn status(exit: Exit) -> u8 {
    u8::try_from(exit.status()).unwrap_or(255)
}

pub fn not_started(session: &Session, argv: &[String], error: koru_session::Error) -> Error {
    let name = argv.first().cloned().unwrap_or_default();
    let (place, help) = match session.machine() {
        Some(machine) => (
            format!("on {machine}"),
            "install it there, or copy a program of your own with `koru run --file PATH`",
        ),
        None => (
            "in the guest".into(),
            "the guest has only busybox's commands; `--file PATH` copies a program of your own",
        ),
    };
    let attempted = format!("running `{name}` {place}");
    let kind = koru_error::Kind::System;
    match error {
        koru_session::Error::Refused { errno, .. } if errno == Errno::NOENT.raw_os_error() => {
            Error::new(kind, attempted, "there is no such command there").help(help)
        }
        koru_session::Error::Refused { errno, .. } => {
            Error::new(kind, attempted, koru_error::errno_text(errno))
        }
        other => Error::from(other),
    }
}

fn put(to: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    crate::ui::write_all(to, bytes)
}

fn forward_input(mut to: StdinWriter, leave: Option<u8>, left: &AtomicBool) {
    let mut buffer = [0; 4096];
    let mut stdin = std::io::stdin().lock();
    while let Ok(n @ 1..) = stdin.read(&mut buffer) {
        if leave.is_some_and(|key| buffer[..n].contains(&key)) {
            left.store(true, Ordering::Relaxed);
            crate::ui::err("\r");
            let _ = to.signal(Signal::HUP.as_raw());
            return;
        }
        if to.write_all(&buffer[..n]).is_err() {
            return;
        }
    }
    let _ = to.close();
}

fn window() -> TtySize {
    let size = tcgetwinsize(std::io::stdout().as_fd()).ok();
    TtySize {
        rows: size.map_or(24, |s| s.ws_row),
        cols: size.map_or(80, |s| s.ws_col),
    }
}

fn follow_window(terminal: StdinWriter) {
    if let Ok(mut signals) = Signals::new([SIGWINCH]) {
        std::thread::spawn(move || {
            for _ in signals.forever() {
                if terminal.resize(window()).is_err() {
                    break;
                }
            }
        });
    }
}

/// A terminal in raw mode, which returns to its former mode when this is dropped.
struct Raw(Termios);

impl Raw {
    fn enter() -> Option<Raw> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Flush, &raw).ok()?;
        Some(Raw(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
