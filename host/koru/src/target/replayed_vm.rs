// SPDX-License-Identifier: MIT OR Apache-2.0

//! A virtual machine in which a run is the same every time.

use koru_error::{Error, Kind, Result};
use koru_klog::Complaint;
use koru_protocol::{Exec, Inventory};
use koru_qemu::Replayed;
use koru_session::{Script, ScriptModule};
use koru_vm::Replay;

use crate::{
    cli::MachineArgs,
    context::Context,
    exec,
    guest::{self, module_path},
    loadable::loadable_modules,
    log::baseline::Baseline,
    target::{
        fresh_vm::{command_files, in_guest},
        parameters,
        request::{CommandIo, RunRequest},
        traits::{KillHandle, Prepared, ReadyModule, Target},
    },
};

/// An instruction takes eight nanoseconds, so the guest is as fast as processors of some years ago.
const SHIFT: u32 = 3;

/// A guest that plays the steps of a run by itself; the methods of [`Target`] wait for each
/// step. An equal seed gives an equal run.
pub struct ReplayedVm {
    replay: Replay,
    prepared: Prepared,
}

impl ReplayedVm {
    pub fn prepare(
        context: &Context,
        request: &RunRequest,
        machine: &MachineArgs,
        seed: u64,
    ) -> Result<ReplayedVm> {
        let refused = |message: &str| Error::new(Kind::Usage, "replaying a run", message);
        if machine.cpus != 1 {
            return Err(refused("--replay requires a single processor").help("leave --cpus out"));
        }
        let [asked] = request.modules.as_slice() else {
            return Err(refused("--replay runs a single module"));
        };
        let tree = context.tree(&request.kernel)?;
        // Everything that the run needs has to be in the guest when it resumes.
        let (mut files, command) = command_files(context, request)?;
        let (modules, build) =
            loadable_modules(context, || Ok(tree.clone()), std::slice::from_ref(asked))?;
        for module in &modules {
            files.file(&module_path(&module.name), &module.path)?;
        }
        if modules.len() > 1 {
            return Err(refused(
                "--replay runs a single module, and this one needs others",
            ));
        }
        let modules = in_guest(modules);
        let module = ScriptModule {
            path: modules[0].path.clone(),
            params: asked.params.clone(),
            name: modules[0].name.clone(),
        };
        let script = Script {
            module: Some(module),
            command: (!command.is_empty()).then(|| Exec::new(command.iter().cloned())),
        };
        let config = guest::config(context, &tree, files, machine)?;
        let replay = Replay::start(config, Replayed { seed, shift: SHIFT }, &script)?;
        let prepared = Prepared {
            session: replay.guest().session().clone(),
            release: tree.release.clone(),
            tree: Some(tree),
            modules,
            command,
            build,
            start: replay.guest().boot_time(),
        };
        Ok(ReplayedVm { replay, prepared })
    }
}

impl Target for ReplayedVm {
    fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    fn baseline(&self) -> Result<Baseline> {
        // The guest answers no calls, and the script looks at the taint itself.
        let mark = self.replay.script_run().mark();
        Ok(Baseline { mark, taint: 0 })
    }

    fn inventory(&self) -> Result<Option<Inventory>> {
        Ok(None)
    }

    fn load(&self, module: &ReadyModule) -> Result<()> {
        let report = self.replay.script_run().loaded()?;
        parameters::check(&module.name, &module.file, &report)
    }

    fn run_command(&self, io: &CommandIo) -> Result<u8> {
        let run = self.replay.script_run();
        let exit = run.command(|event| _ = (io.output)(&event));
        let Prepared {
            session, command, ..
        } = &self.prepared;
        exit.map(exec::status)
            .map_err(|e| exec::not_started(session, command, e))
    }

    fn unload(&self, _: &ReadyModule) -> Result<()> {
        self.replay.script_run().unloaded()?;
        Ok(())
    }

    fn outlives_run(&self) -> bool {
        false
    }

    fn fatal_complaint(&self, _: &Baseline) -> Result<Option<Complaint>> {
        // The script does not ask before it unloads the module.
        Ok(None)
    }

    fn complaint(&self, _: &Baseline, _: bool) -> Result<Option<Complaint>> {
        // The guest ends here; its log is complete only then.
        Ok(self.replay.script_run().end()?)
    }

    fn kill_handle(&self) -> Option<KillHandle> {
        Some(Box::new(self.replay.guest().kill_handle()))
    }
}
