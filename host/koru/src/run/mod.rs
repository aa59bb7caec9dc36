// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs modules: loads them, runs a command and unloads them.

pub mod before_load;
pub mod command;
mod doing;
pub mod in_guest;
pub mod left_behind;
pub mod module_step;
pub mod observe;
pub mod outcome;
mod waiting;

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use koru_error::{Error, Kind, Result};
use koru_session::LeftBehind;

use crate::{
    context::Context,
    guest::complaint_error,
    log::{baseline::Baseline, oops},
    target::{
        self,
        request::{CommandIo, RunRequest},
        traits::Target,
    },
};
use doing::Subject;
use left_behind::Inventories;
use observe::observe_from;
use outcome::{RunOptions, RunOutcome, Timings};
use waiting::{Ends, watched};

/// Brings what is requested to its target, and runs it there.
pub fn run_module(
    context: &Context,
    request: &RunRequest,
    options: &RunOptions,
) -> Result<RunOutcome> {
    let target = target::prepare(context, request)?;
    if let Some(kill) = target.kill_handle() {
        (options.started)(kill);
    }
    let kill = target.kill_handle();
    if options.limit.is_some() && kill.is_none() {
        let message = "--limit needs a virtual machine, which can be ended at any time";
        return Err(Error::new(
            Kind::Usage,
            "limiting the time of a run",
            message,
        ));
    }
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    context.ui.done();
    let prepared = target.prepared();
    if !target.outlives_run() {
        // The guest is this run's alone, so whoever waits can end it.
        prepared.session.be_patient();
    }
    let mut seconds = Timings::of(&prepared.build, prepared.start);
    let mut inventories = Inventories::before(&*target)?;
    let mut left = LeftBehind::default();
    let baseline = target.baseline()?;
    let observed = observe_from(
        context,
        &prepared.session,
        baseline.mark,
        options.log,
        || {
            let ends = Ends {
                limit: options.limit,
                kill,
                mark: baseline.mark,
            };
            let before = inventories.before.clone();
            let find = || Subject {
                modules: prepared.modules.iter().map(|m| m.name.clone()).collect(),
                before: before.clone(),
            };
            let interactive = options.command.interactive && !prepared.command.is_empty();
            let status = watched(
                context,
                &prepared.session,
                &find,
                interactive && terminal,
                ends,
                || {
                    steps(
                        &*target,
                        &baseline,
                        &options.command,
                        &mut inventories,
                        &mut seconds,
                    )
                },
            );
            if status.is_ok() {
                left = left_behind::named(context, &prepared.session, inventories.left(&*target)?);
            }
            let complaint = target.complaint(&baseline, status.is_ok());
            Ok((status?, complaint?))
        },
    );
    let run = RunOutcome {
        module: prepared.names(),
        kernel: prepared.release.clone(),
        decoded: oops::decoded(&oops::decoder_of(context, &prepared.session), &observed.log),
        outcome: observed.outcome,
        log: observed.log,
        complaint: observed.complaint,
        left,
        seconds,
    };
    if run.outcome.is_ok() {
        target.close()?;
    }
    Ok(run)
}

/// Loads the modules, runs the command and unloads the modules in reverse. Returns the exit
/// status of the command.
///
/// After an oops the modules stay where they are: unloading them would wait for what the oops
/// has stopped, and the oops says more than that.
pub fn steps(
    target: &dyn Target,
    baseline: &Baseline,
    io: &CommandIo,
    inventories: &mut Inventories,
    seconds: &mut Timings,
) -> Result<u8> {
    let prepared = target.prepared();
    let mut loaded = Vec::new();
    let mut work = || {
        let begun = Instant::now();
        for module in &prepared.modules {
            if !prepared.is_there(module)? {
                target.load(module)?;
                loaded.push(module);
            }
        }
        seconds.load = begun.elapsed().as_secs_f64();
        inventories.loaded(target)?;
        if prepared.command.is_empty() {
            return Ok((0, Duration::ZERO));
        }
        let begun = Instant::now();
        Ok((target.run_command(io)?, begun.elapsed()))
    };
    let done = work();
    if done.is_err() && !target.outlives_run() {
        return done.map(|(status, _)| status);
    }
    if done.is_ok() {
        if let Some(complaint) = target.fatal_complaint(baseline)? {
            let names = prepared.names();
            return Err(complaint_error(&format!("running {names}"), &complaint));
        }
    }
    let begun = Instant::now();
    let mut unloaded = Ok(());
    for module in loaded.into_iter().rev() {
        unloaded = unloaded.and(inventories.unloaded(target, module, target.unload(module)));
    }
    let (status, took) = done?;
    seconds.command = took.as_secs_f64();
    unloaded?;
    seconds.unload = begun.elapsed().as_secs_f64();
    Ok(status)
}
