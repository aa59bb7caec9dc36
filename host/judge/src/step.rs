// SPDX-License-Identifier: MIT OR Apache-2.0

//! The steps of a promise.

use std::time::Duration;

use regex::bytes::Regex;

use crate::{
    expectation::{Broken, Expectation, Raw},
    together::Together,
    value::{Value, Variables},
};

/// One step, with what it has to lead to.
#[derive(Debug, Clone)]
pub struct Step {
    /// The line in the contract.
    pub line: usize,
    /// The process that does it. The first one has the name `main`; `nobody` is not root.
    pub process: String,
    /// The thread of that process.
    pub thread: String,
    pub action: Action,
    /// What is done, in words.
    pub words: String,
    /// How long the step may take.
    pub within: Duration,
    /// Whether the call has to block: a later step `finish` waits for its end.
    pub blocks: bool,
    pub(crate) expectation: Expectation,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    Load {
        parameters: Vec<String>,
    },
    Unload,
    Wait(Duration),
    Open {
        file: String,
        path: String,
        flags: OpenFlags,
        mode: u32,
    },
    Close {
        file: String,
    },
    /// A read, at a position if there is one.
    Read {
        file: String,
        size: usize,
        at: Option<i64>,
    },
    Write {
        file: String,
        bytes: Vec<u8>,
        at: Option<i64>,
    },
    Seek {
        file: String,
        offset: i64,
        whence: u8,
    },
    Ioctl {
        file: String,
        number: u32,
        argument: Argument,
    },
    Poll {
        file: String,
        events: i64,
        time: Duration,
    },
    Mmap {
        file: String,
        size: usize,
        at: i64,
    },
    Dup {
        file: String,
        new: String,
    },
    /// An open file for another process, over a socket.
    Pass {
        file: String,
        to: String,
        new: String,
    },
    /// A new process with the same open files.
    Fork {
        child: String,
    },
    /// Calls of several threads at once.
    Together(Together),
    /// A command for the guest's shell.
    Run {
        command: String,
    },
    /// The end of a call that blocked.
    Finish,
    /// A line of the kernel's log.
    Log(LogLine),
    /// Whether /proc/modules has the module.
    Module {
        loaded: bool,
    },
    /// That nothing is left that was not there before the promise.
    NothingLeft,
}

/// The argument of an ioctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    Value(i64),
    /// The address of these bytes.
    Bytes(Vec<u8>),
}

/// The flags of an open, as the numbers of x86.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenFlags(pub u32);

impl OpenFlags {
    const KNOWN: [(&'static str, u32); 10] = [
        ("r", 0),
        ("w", 1),
        ("rw", 2),
        ("create", 0o100),
        ("excl", 0o200),
        ("trunc", 0o1000),
        ("append", 0o2000),
        ("nonblock", 0o4000),
        ("sync", 0o4_010_000),
        ("directory", 0o200_000),
    ];

    pub fn names() -> impl Iterator<Item = &'static str> {
        OpenFlags::KNOWN.into_iter().map(|(name, _)| name)
    }

    /// Parses words such as `rw nonblock`. The error is an unknown word.
    pub fn parse(text: &str) -> Result<OpenFlags, String> {
        let mut flags = 0;
        for word in text.split_whitespace() {
            let known = OpenFlags::KNOWN.iter().find(|(name, _)| *name == word);
            flags |= known.ok_or_else(|| word.to_owned())?.1;
        }
        Ok(OpenFlags(flags))
    }
}

/// The events of poll, as the numbers of Linux.
pub const EVENTS: [(&str, i64); 5] = [
    ("in", 1),
    ("priority", 2),
    ("out", 4),
    ("error", 8),
    ("hangup", 16),
];

/// A line that the kernel's log has to have, or must not have.
#[derive(Debug, Clone)]
pub struct LogLine {
    pub regex: Regex,
    /// The level, from 0 (emergency) to 7 (debug).
    pub level: Option<u8>,
    pub absent: bool,
}

impl LogLine {
    /// Returns whether a record of the log is such a line, and remembers its values then.
    pub fn is(&self, level: u8, text: &str, variables: &mut Variables) -> bool {
        let level_fits = self.level.is_none_or(|wanted| wanted == level);
        let Some(found) = self.regex.captures(text.as_bytes()).filter(|_| level_fits) else {
            return false;
        };
        for name in self.regex.capture_names().flatten() {
            if let Some(part) = found.name(name) {
                let text = String::from_utf8_lossy(part.as_bytes());
                variables.insert(name.to_owned(), Value::captured(&text));
            }
        }
        true
    }

    /// Returns what is promised, in words.
    pub fn promised(&self) -> String {
        let level = self.level.and_then(|l| LEVELS.get(usize::from(l)));
        let level = level.map_or(String::new(), |level| format!(" of level {level}"));
        let none = if self.absent { "no" } else { "a" };
        format!(
            "{none} line in the kernel log{level} that matches `{}`",
            self.regex
        )
    }
}

pub const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
];

impl Step {
    /// Compares what the step led to with what it promises, and remembers its values.
    ///
    /// # Errors
    ///
    /// The promise that was not kept.
    pub fn judge(&self, raw: &Raw, variables: &mut Variables) -> Result<(), Broken> {
        self.expectation.judge(raw, variables)
    }

    /// Returns whether something else than success is expected.
    pub fn expects_error(&self) -> bool {
        !self.expectation.errors.is_empty()
    }
}
