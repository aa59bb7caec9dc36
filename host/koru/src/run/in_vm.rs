// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a module in a fresh guest.

use std::{fs, panic, thread};

use koru_error::{Error, Result};
use koru_protocol::Exec;
use koru_qemu::Initramfs;

use crate::{
    cli::RunArgs,
    context::Context,
    exec,
    guest::{self, module_path},
    loadable::loadable,
    programs,
    run::{
        observe::observe,
        outcome::{RunOptions, RunOutcome, Timings, timed},
        replay::run_replay,
        staging::stage_in_initramfs,
    },
};

/// Builds the module, loads it in a fresh guest, runs the command and unloads the module.
pub fn run_in_vm(context: &Context, args: &RunArgs, options: &RunOptions) -> Result<RunOutcome> {
    let tree = context.tree(&args.kernel)?;
    let mut root = Initramfs::new();
    let mentioned = programs::mentioned(&context.home.root, &args.command);
    programs::build(context, &mentioned)?;
    programs::put(context, &mut root, &mentioned)?;
    let command = stage_in_initramfs(context, &mut root, &args.file, &args.command)?;
    if let Some(seed) = args.replay {
        // Everything that the run needs has to be in the guest when it resumes.
        let module = loadable(context, &tree, args.module.as_deref())?;
        root.file(&module_path(&module.name), &module.path)?;
        let what = (module, root, &*command);
        return run_replay(context, &tree, what, (args, seed), options);
    }
    // Start the guest while cargo runs: both take about equally long when nothing needs
    // to be rebuilt.
    let (module, guest) = thread::scope(|s| {
        let starting = s.spawn(|| guest::start(context, &tree, root, &args.machine));
        let module = loadable(context, &tree, args.module.as_deref());
        let guest = starting.join().unwrap_or_else(|e| panic::resume_unwind(e));
        Ok::<_, Error>((module?, guest?))
    })?;
    let name = &module.name;
    let path = module_path(name);
    (options.started)(&guest);
    context.ui.done();

    let session = guest.session();
    let content = fs::read(&module.path).map_err(|e| Error::path("reading", &module.path, e))?;
    session.put_file(&path, 0o644, &content)?;
    let mut seconds = Timings::of(&module.stages, guest.boot_time());
    // After a failure the guest is discarded with the module in it.
    let observed = observe(context, session, options.log, || {
        let (_, took) = timed(|| session.load(&path, &args.params).map_err(Error::from))?;
        seconds.load = took.as_secs_f64();
        let mut status = 0;
        if !command.is_empty() {
            let (code, took) = timed(|| {
                if options.interactive {
                    exec::run(session, &command)
                } else {
                    exec::run_alone(session, &command, Exec::default(), options.output)
                }
            })?;
            (status, seconds.command) = (code, took.as_secs_f64());
        }
        let (_, took) = timed(|| session.unload(name).map_err(Error::from))?;
        seconds.unload = took.as_secs_f64();
        Ok(status)
    })?;
    if observed.outcome.is_ok() {
        guest.power_off()?;
    }
    Ok(RunOutcome {
        module: module.name,
        kernel: tree.release,
        outcome: observed.outcome,
        log: observed.log,
        complaint: observed.complaint,
        seconds,
    })
}
