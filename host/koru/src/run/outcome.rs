// SPDX-License-Identifier: MIT OR Apache-2.0

//! The options of a run, and its outcome.

use std::time::{Duration, Instant};

use koru_error::Result;
use koru_kbuild::Stages;
use koru_klog::{Complaint, LogRecord};
use koru_session::ProcessEvent;
use koru_vm::Guest;

use crate::log::view::LogSink;

/// Options of one run.
pub struct RunOptions<'a> {
    /// Where the log goes as it comes.
    pub log: LogSink,
    /// Attaches the command to this program's input and terminal.
    pub interactive: bool,
    /// Receives the command's output when it is not interactive.
    pub output: &'a dyn Fn(&ProcessEvent) -> std::io::Result<()>,
    /// Receives the guest when it is up.
    pub started: &'a dyn Fn(&Guest),
}

/// The outcome of one run.
pub struct RunOutcome {
    pub module: String,
    pub kernel: String,
    /// The exit status of the command, or the error that stopped the run.
    pub outcome: Result<u8>,
    /// Everything that was logged, whatever the outcome.
    pub log: Vec<LogRecord>,
    /// The complaint of a kernel that did what was asked nevertheless.
    pub complaint: Option<Complaint>,
    pub seconds: Timings,
}

#[derive(serde::Serialize)]
pub struct Record {
    pub level: u8,
    pub timestamp_us: u64,
    pub text: String,
}

impl From<&LogRecord> for Record {
    fn from(r: &LogRecord) -> Record {
        Record {
            level: r.level,
            timestamp_us: r.timestamp_us,
            text: r.text.clone(),
        }
    }
}

#[derive(serde::Serialize, Default)]
pub struct Timings {
    pub prepare: f64,
    pub compile: f64,
    pub link: f64,
    pub start: f64,
    pub load: f64,
    pub command: f64,
    pub unload: f64,
}

impl Timings {
    pub fn of(build: &Stages, start: Duration) -> Timings {
        Timings {
            prepare: build.prepare.as_secs_f64(),
            compile: build.cargo.as_secs_f64(),
            link: build.kbuild.as_secs_f64(),
            start: start.as_secs_f64(),
            ..Timings::default()
        }
    }
}

pub fn timed<T>(step: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let start = Instant::now();
    Ok((step()?, start.elapsed()))
}
