// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru run`: builds a module, loads it, runs a command, unloads it.

use std::time::Duration;

use koru_decode::Decoded;
use koru_error::Result;

use crate::{
    cli::RunArgs,
    context::Context,
    exec,
    failure::ErrorObject,
    guest::complaint_error,
    log::view::LogSink,
    run::{
        left_behind,
        outcome::{Record, RunOptions, RunOutcome, Timings},
        run_module,
    },
    target::request::{CommandIo, RunRequest},
    ui::json,
};

/// The output of `koru run --json`.
#[derive(serde::Serialize)]
struct Report {
    module: String,
    kernel: String,
    /// The exit status of the command, if it ran.
    status: Option<u8>,
    /// What went wrong, if anything did.
    error: Option<ErrorObject>,
    log: Vec<Record>,
    /// The oopses and warnings in the log.
    decoded: Vec<Decoded>,
    /// What the module did not unregister.
    left_behind: Vec<String>,
    seconds: Timings,
}

pub fn run(context: &Context, args: &RunArgs) -> Result<u8> {
    let options = RunOptions {
        log: match (context.json, args.command.is_empty()) {
            (true, _) => LogSink::Nowhere,
            (false, true) => LogSink::Stdout,
            (false, false) => LogSink::Stderr,
        },
        command: CommandIo {
            interactive: args.replay.is_none(),
            output: &exec::show,
        },
        limit: args.limit.map(|s| Duration::from_secs(s.into())),
        started: &|_| (),
    };
    let run = run_module(context, &RunRequest::of_run(args)?, &options)?;
    let seconds = run.seconds;
    let name = run.module;
    let status = run.outcome.as_ref().ok().copied();
    let ended = run.outcome.and_then(|status| match &run.complaint {
        Some(complaint) => Err(complaint_error(&format!("running {name}"), complaint)),
        None => Ok(status),
    });
    let ended = ended.map_err(|e| RunOutcome::explained(e, &run.decoded));
    if context.json {
        json(&Report {
            error: ended.as_ref().err().map(ErrorObject::from),
            module: name,
            kernel: run.kernel,
            status,
            log: run.log.iter().map(Record::from).collect(),
            decoded: run.decoded,
            left_behind: run.left.entries,
            seconds,
        });
    } else {
        left_behind::warn(context, &run.left);
        if args.timings && status.is_some() {
            tell(context, &seconds);
        }
    }
    ended
}

/// Shows how long each step of a run took.
fn tell(context: &Context, seconds: &Timings) {
    context.ui.say(&format!(
        "prepare {:.2} s, compile {:.2} s, link {:.2} s, start {:.2} s, load {:.2} s, \
         command {:.2} s, unload {:.2} s",
        seconds.prepare,
        seconds.compile,
        seconds.link,
        seconds.start,
        seconds.load,
        seconds.command,
        seconds.unload
    ));
}
