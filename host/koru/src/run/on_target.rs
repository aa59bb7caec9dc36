// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a module on a machine of the user's own, chosen by `--target`.

use std::time::Instant;

use koru_error::{Error, Kind, Result};

use crate::{
    cli::RunArgs,
    context::Context,
    run::{
        observe::observe,
        outcome::{RunOptions, RunOutcome, Timings, timed},
        staging::StagedFiles,
    },
    target::machine::{self, LoadRequest},
};

/// Builds the module, loads it on the target, runs the command and unloads the module. The
/// module does not stay loaded, whatever the command did.
pub fn run_on_target(
    context: &Context,
    args: &RunArgs,
    options: &RunOptions,
) -> Result<RunOutcome> {
    if args.replay.is_some() {
        let doing = format!("replaying on {}", args.target);
        return Err(Error::new(
            Kind::Usage,
            doing,
            "only the virtual machine can",
        ));
    }
    let start = Instant::now();
    let request = LoadRequest {
        module: args.module.as_deref(),
        kernel: &args.kernel,
        target: &args.target,
        yes: args.yes,
    };
    let ready = machine::prepare(context, &request)?;
    let session = &ready.session;
    let name = &ready.module.name;
    let staged = StagedFiles::stage(context, session, args)?;
    let stages = &ready.module.stages;
    let built = stages.prepare + stages.cargo + stages.kbuild;
    let mut seconds = Timings::of(stages, start.elapsed().saturating_sub(built));

    let observed = observe(context, session, options.log, || {
        let (_, took) = timed(|| {
            let loaded = session.load_transient(&ready.path, name, &args.params);
            loaded.map_err(Error::from)
        })?;
        seconds.load = took.as_secs_f64();
        let command = timed(|| staged.run(session, options));
        // The kernel keeps running after this, so the module must not stay.
        let unloaded = timed(|| session.unload(name).map_err(Error::from));
        let (status, took) = command?;
        seconds.command = took.as_secs_f64();
        seconds.unload = unloaded?.1.as_secs_f64();
        Ok(status)
    });
    staged.remove(session);
    ready.clean_up();
    let observed = observed?;
    Ok(RunOutcome {
        module: ready.module.name,
        kernel: ready.release,
        outcome: observed.outcome,
        log: observed.log,
        complaint: observed.complaint,
        seconds,
    })
}
