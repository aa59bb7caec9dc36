// SPDX-License-Identifier: MIT OR Apache-2.0

//! The process in a guest that makes the calls.

use std::{
    io::Write,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use koru_protocol::{Exec, Exit};
use koru_session::{ProcessEvent, Result, Session, StdinWriter};

/// The length of the longest line.
const LONGEST: usize = 4 << 20;

/// The signal SIGKILL.
const SIGKILL: i32 = 9;

/// What the process says.
pub enum Said {
    Line(String),
    Nothing,
    /// It has ended, or the guest has.
    Over(Option<Exit>),
}

pub struct Worker {
    stdin: StdinWriter,
    lines: Receiver<Said>,
}

impl Worker {
    pub fn start(session: &Session, argv: Vec<String>) -> Result<Worker> {
        let process = session.exec(Exec {
            stdin: true,
            ..Exec::new(argv)
        })?;
        let stdin = process.stdin();
        let (to, lines) = channel();
        // The thread ends with the process, or with the guest.
        thread::spawn(move || {
            let mut rest = Vec::new();
            let exit = loop {
                match process.next() {
                    Ok(ProcessEvent::Stdout(_)) if rest.len() > LONGEST => rest.clear(),
                    Ok(ProcessEvent::Stdout(bytes)) => rest.extend(bytes),
                    Ok(ProcessEvent::Started(_) | ProcessEvent::Stderr(_)) => continue,
                    Ok(ProcessEvent::Exited(exit)) => break Some(exit),
                    Err(_) => break None,
                }
                let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else {
                    continue;
                };
                let whole: Vec<u8> = rest.drain(..=end).collect();
                for line in String::from_utf8_lossy(&whole).lines() {
                    if to.send(Said::Line(line.to_owned())).is_err() {
                        return;
                    }
                }
            };
            _ = to.send(Said::Over(exit));
        });
        Ok(Worker { stdin, lines })
    }

    /// Sends a text. A process that has ended reads nothing, which is no error.
    pub fn send(&mut self, text: &str) {
        _ = self.stdin.write_all(text.as_bytes());
    }

    pub fn next(&self, limit: Duration) -> Said {
        match self.lines.recv_timeout(limit) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => Said::Nothing,
            Err(RecvTimeoutError::Disconnected) => Said::Over(None),
        }
    }

    /// Ends the process. Returns whether it ended.
    pub fn end(self, limit: Duration) -> bool {
        _ = self.stdin.close();
        for kill in [false, true] {
            if kill {
                _ = self.stdin.signal(SIGKILL);
            }
            loop {
                match self.next(limit) {
                    Said::Line(_) => {}
                    Said::Over(_) => return true,
                    Said::Nothing => break,
                }
            }
        }
        false
    }
}
