// SPDX-License-Identifier: MIT OR Apache-2.0

//! The options of a run, and its outcome.

use std::time::Duration;

use koru_decode::Decoded;
use koru_error::{Error, Result};
use koru_kbuild::Stages;
use koru_klog::{Complaint, LogRecord};
use koru_session::LeftBehind;

use crate::{
    log::view::LogSink,
    target::{request::CommandIo, traits::KillHandle},
};

/// Options of one run.
pub struct RunOptions<'a> {
    /// Where the log goes as it comes.
    pub log: LogSink,
    pub command: CommandIo<'a>,
    /// How long the run may take.
    pub limit: Option<Duration>,
    /// Receives a function that ends the run, when its target is ready.
    pub started: &'a dyn Fn(KillHandle),
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
    /// What is there after the unload that was not there before the load.
    pub left: LeftBehind,
    /// The oopses and warnings in the log.
    pub decoded: Vec<Decoded>,
    pub seconds: Timings,
}

impl RunOutcome {
    /// Adds to the error of a run what it used of a module that was unloaded.
    pub fn explained(mut error: Error, decoded: &[Decoded]) -> Error {
        if let Some(former) = decoded.iter().find_map(|d| d.former.as_ref()) {
            error.message += &format!("; that was {former}");
        }
        error
    }
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
