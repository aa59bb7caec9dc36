// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a module so that the run is the same every time.

use koru_error::{Error, Kind, Result};
use koru_kernels::KernelTree;
use koru_protocol::Exec;
use koru_qemu::Initramfs;
use koru_session::Script;
use koru_vm::Replay;

use crate::{
    cli::RunArgs,
    context::Context,
    exec,
    guest::{self, module_path},
    loadable::Loadable,
    run::{
        observe::observe_from,
        outcome::{RunOptions, RunOutcome, Timings, timed},
    },
};

/// Loads the module, runs the command and unloads the module, such that an equal seed gives an
/// equal run. `root` has the files that the run needs.
pub fn run_replay(
    context: &Context,
    tree: &KernelTree,
    (module, root, command): (Loadable, Initramfs, &[String]),
    (args, seed): (&RunArgs, u64),
    options: &RunOptions,
) -> Result<RunOutcome> {
    if args.machine.cpus != 1 {
        let message = "--replay requires a single processor";
        return Err(Error::new(Kind::Usage, "replaying a run", message).help("leave --cpus out"));
    }
    let script = Script {
        path: module_path(&module.name),
        params: args.params.clone(),
        command: (!command.is_empty()).then(|| Exec::new(command.iter().cloned())),
        name: module.name.clone(),
    };
    let config = guest::config(context, tree, root, &args.machine)?;
    let replay = Replay::start(config, seed, &script)?;
    let (guest, script_run) = (replay.guest(), replay.script_run());
    (options.started)(guest);
    context.ui.done();

    let mut seconds = Timings::of(&module.stages, guest.boot_time());
    let mut complaint = None;
    let observed = observe_from(
        context,
        guest.session(),
        script_run.mark(),
        options.log,
        || {
            let run = (|| -> Result<u8> {
                let (_, took) = timed(|| script_run.loaded().map_err(Error::from))?;
                seconds.load = took.as_secs_f64();
                let mut status = 0;
                if !command.is_empty() {
                    let (exit, took) = timed(|| {
                        let exit = script_run.command(|event| _ = (options.output)(&event));
                        exit.map_err(|e| exec::not_started(guest.session(), command, e))
                    })?;
                    (status, seconds.command) = (exec::status(exit), took.as_secs_f64());
                }
                let (_, took) = timed(|| script_run.unloaded().map_err(Error::from))?;
                seconds.unload = took.as_secs_f64();
                Ok(status)
            })();
            // The guest ends here; its log is complete only then.
            let end = script_run.end();
            let status = run?;
            complaint = end?;
            Ok(status)
        },
    );
    Ok(RunOutcome {
        module: module.name,
        kernel: tree.release.clone(),
        outcome: observed.outcome,
        log: observed.log,
        complaint,
        seconds,
    })
}
