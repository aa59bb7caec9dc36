// SPDX-License-Identifier: MIT OR Apache-2.0

//! A process in a guest that carries out steps.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
    io::Write,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use koru_judge::Raw;
use koru_protocol::Exec;
use koru_session::{ProcessEvent, Result, Session, StdinWriter};

/// The program that carries out steps.
const PROGRAM: [&str; 2] = ["/bin/ioshell", "--steps"];

/// The user of the process called `nobody`.
pub const NOBODY: u32 = 65534;

/// How long a process may take to end.
const END_LIMIT: Duration = Duration::from_secs(3);

/// The length of the longest line.
const LONGEST: usize = 4 << 20;

/// The signal SIGKILL.
const SIGKILL: i32 = 9;

/// A process that carries out steps.
pub struct GuestProcess {
    stdin: StdinWriter,
    lines: Receiver<Line>,
    /// The steps that were sent, with the answers that nobody has taken.
    sent: HashMap<String, Option<Raw>>,
    over: bool,
}

enum Line {
    Text(String),
    /// The process has ended.
    Over,
}

impl GuestProcess {
    pub fn start(session: &Session, uid: Option<u32>) -> Result<GuestProcess> {
        let process = session.exec(Exec {
            stdin: true,
            uid,
            // Not everybody may go to root's folder.
            cwd: Some("/".to_owned()),
            ..Exec::new(PROGRAM)
        })?;
        let stdin = process.stdin();
        let (to, lines) = channel();
        // The thread ends with the process, or with the guest.
        thread::spawn(move || {
            let mut rest = Vec::new();
            loop {
                match process.next() {
                    // No answer is so long.
                    Ok(ProcessEvent::Stdout(_)) if rest.len() > LONGEST => rest.clear(),
                    Ok(ProcessEvent::Stdout(bytes)) => rest.extend(bytes),
                    Ok(ProcessEvent::Started(_) | ProcessEvent::Stderr(_)) => continue,
                    Ok(ProcessEvent::Exited(_)) | Err(_) => break,
                }
                while let Some(end) = rest.iter().position(|b| *b == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                    if to.send(Line::Text(line)).is_err() {
                        return;
                    }
                }
            }
            _ = to.send(Line::Over);
        });
        Ok(GuestProcess {
            stdin,
            lines,
            sent: HashMap::new(),
            over: false,
        })
    }

    /// Sends a step, and returns its nonce. `child` leads to a child of the process.
    pub fn send(&mut self, child: &str, thread: &str, call: &str) -> String {
        let nonce = nonce();
        // A process that has ended answers nothing.
        _ = writeln!(self.stdin, "{child}{nonce} {thread} {call}");
        self.sent.insert(nonce.clone(), None);
        nonce
    }

    /// Waits a moment for the answer to a step.
    pub fn answer(&mut self, nonce: &str, limit: Duration) -> Answer {
        let end = Instant::now() + limit;
        loop {
            if let Some(Some(raw)) = self.sent.get_mut(nonce).map(Option::take) {
                return Answer::Came(raw);
            }
            if self.over {
                return Answer::ProcessEnded;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(Line::Text(line)) => {
                    // Only who has read the step knows its nonce.
                    if let Some((nonce, raw)) = parse(&line) {
                        self.sent.entry(nonce).and_modify(|old| *old = Some(raw));
                    }
                }
                Ok(Line::Over) | Err(RecvTimeoutError::Disconnected) => self.over = true,
                Err(RecvTimeoutError::Timeout) => return Answer::NotYet,
            }
        }
    }

    /// Ends the process and its children. Returns whether they ended.
    pub fn end(mut self) -> bool {
        _ = self.stdin.close();
        for kill in [false, true] {
            if kill {
                _ = self.stdin.signal(SIGKILL);
            }
            let end = Instant::now() + END_LIMIT;
            while !self.over && Instant::now() < end {
                let left = end.saturating_duration_since(Instant::now());
                match self.lines.recv_timeout(left) {
                    Ok(Line::Text(_)) => {}
                    Ok(Line::Over) | Err(RecvTimeoutError::Disconnected) => self.over = true,
                    Err(RecvTimeoutError::Timeout) => break,
                }
            }
        }
        self.over
    }
}

/// The answer to a step.
pub enum Answer {
    Came(Raw),
    NotYet,
    ProcessEnded,
}

/// Parses the results of several calls, of which each is a line.
pub fn results(bytes: &[u8]) -> Option<Vec<Raw>> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().map(|line| result(line.split(' '))).collect()
}

/// Returns a word that nobody can guess.
pub fn nonce() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

fn parse(line: &str) -> Option<(String, Raw)> {
    let mut words = line.split(' ');
    let nonce = words.next()?.to_owned();
    Some((nonce, result(words)?))
}

fn result<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Raw> {
    let word = words.next()?;
    let number = words.next()?;
    let result = match word {
        "ok" => Ok(number.parse().ok()?),
        "err" => Err(number.parse().ok()?),
        _ => return None,
    };
    let (begin_ns, end_ns) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let digits = words.next().unwrap_or_default().as_bytes();
    let digit = |d: u8| char::from(d).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    let bytes = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
    Some(Raw {
        result,
        begin_ns,
        end_ns,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_parsed() {
        let (nonce, raw) = parse("ab12 ok 3 10 25 6162ff").unwrap();
        assert_eq!((nonce.as_str(), raw.result), ("ab12", Ok(3)));
        assert_eq!((raw.end_ns, &raw.bytes[..]), (25, &b"ab\xff"[..]));
        assert_eq!(parse("ab12 err 22 10 25 ").unwrap().1.result, Err(22));
        for forged in [
            "",
            "ok",
            "ab12 ok x 1 2 ",
            "ab12 fine 1 1 2 ",
            "ab12 ok 1 1 2 6",
        ] {
            assert!(parse(forged).is_none(), "{forged}");
        }
        assert_ne!(super::nonce(), super::nonce());
    }
}
