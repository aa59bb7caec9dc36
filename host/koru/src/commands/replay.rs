//! A run that is the same every time.

use koru_error::{Error, Kind, Result};
use koru_kernels::KernelTree;
use koru_protocol::Exec;
use koru_qemu::Initramfs;
use koru_session::Script;
use koru_vm::Replay;

use crate::{
    cli::RunArgs,
    commands::run::{Ended, Loadable, Manner, Timings, timed, without_log},
    context::Context,
    exec,
    guest::{self, module_path},
    log_view::Follower,
};

/// Loads the module, runs the command and unloads the module, as the seed says.
/// `root` has the files that this takes.
pub fn once(
    context: &Context,
    tree: &KernelTree,
    (module, root, command): (Loadable, Initramfs, &[String]),
    (args, seed): (&RunArgs, u64),
    manner: &Manner,
) -> Result<Ended> {
    if args.machine.cpus != 1 {
        let message = "several processors never do the same twice";
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
    let (guest, playing) = (replay.guest(), replay.playing());
    (manner.started)(guest);
    context.ui.done();

    let mark = playing.mark();
    let follower = Follower::start(context, guest.session(), mark, manner.log);
    let mut seconds = Timings::of(&module.stages, guest.boot_time());
    let outcome = (|| -> Result<u8> {
        let (_, took) = timed(|| playing.loaded().map_err(Error::from))?;
        seconds.load = took.as_secs_f64();
        let mut status = 0;
        if !command.is_empty() {
            let (exit, took) = timed(|| {
                let exit = playing.command(|event| _ = (manner.output)(&event));
                exit.map_err(|e| exec::not_started(guest.session(), command, e))
            })?;
            (status, seconds.command) = (exec::status(exit), took.as_secs_f64());
        }
        let (_, took) = timed(|| playing.unloaded().map_err(Error::from))?;
        seconds.unload = took.as_secs_f64();
        Ok(status)
    })();
    let complaint = playing.end().map_err(Error::from);
    let log = follower.finish();
    let (outcome, complaint) = match (outcome, complaint) {
        (Ok(status), Ok(complaint)) => (Ok(status), complaint),
        (Ok(_), Err(e)) | (Err(e), _) => (Err(without_log(e, &log, manner.log)), None),
    };
    Ok(Ended {
        module: module.name,
        kernel: tree.release.clone(),
        outcome,
        log,
        complaint,
        seconds,
    })
}
