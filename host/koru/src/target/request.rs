// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a command wants to have on a target.

use std::path::PathBuf;

use koru_error::{Error, Kind, Result};
use koru_session::ProcessEvent;

use crate::{
    cli::{DebugArgs, KernelChoice, LoadArgs, MachineArgs, ModuleChoice, RunArgs, VmArgs},
    target::name::TargetName,
};

/// Modules to load on a target, and a command to run there.
pub struct RunRequest {
    /// The modules, which are loaded in this order and unloaded in reverse.
    pub modules: Vec<ModuleRequest>,
    pub kernel: KernelChoice,
    pub place: Place,
    /// Whether to load into a real kernel without asking the user.
    pub yes: bool,
    /// Files that the command needs.
    pub files: Vec<PathBuf>,
    /// The command. There may be none.
    pub command: Vec<String>,
}

/// A module to load.
pub struct ModuleRequest {
    /// A name, a folder or a file; without it, the current folder's module.
    pub source: Option<String>,
    /// The name of the module, if several are built from the source.
    pub module: Option<String>,
    /// Parameters, `key=value`.
    pub params: Vec<String>,
}

/// Where modules are loaded.
#[derive(Clone)]
pub enum Place {
    /// A virtual machine for one run.
    FreshVm {
        machine: MachineArgs,
        /// The seed of a run that is the same every time.
        replay: Option<u64>,
    },
    /// The virtual machine that stays up.
    StandingVm(VmArgs),
    /// A machine of the user's own: this one or another.
    OwnMachine(TargetName),
}

/// What the command of a run is connected to.
pub struct CommandIo<'a> {
    /// Attaches the command to this program's input and terminal.
    pub interactive: bool,
    /// Receives the command's output when it is not interactive.
    pub output: &'a dyn Fn(&ProcessEvent) -> std::io::Result<()>,
}

impl RunRequest {
    /// Returns the request of `koru run` and `koru watch`.
    pub fn of_run(args: &RunArgs) -> Result<RunRequest> {
        let place = match (&args.target, args.replay) {
            (TargetName::Vm, replay) => Place::FreshVm {
                machine: args.machine.clone(),
                replay,
            },
            (own, None) => Place::OwnMachine(own.clone()),
            (own, Some(_)) => {
                let attempted = format!("replaying on {own}");
                let message = "only a virtual machine can do that";
                return Err(Error::new(Kind::Usage, attempted, message));
            }
        };
        Ok(RunRequest {
            kernel: args.kernel.clone(),
            yes: args.yes,
            files: args.file.clone(),
            command: args.command.clone(),
            ..RunRequest::of_module(&args.module, &args.params, place)
        })
    }

    /// Returns the request of `koru load`.
    pub fn of_load(args: &LoadArgs) -> RunRequest {
        let place = match &args.target.target {
            TargetName::Vm => Place::StandingVm(args.target.vm.clone()),
            own => Place::OwnMachine(own.clone()),
        };
        RunRequest {
            kernel: args.kernel.clone(),
            yes: args.yes,
            ..RunRequest::of_module(&args.module, &args.params, place)
        }
    }

    fn of_module(module: &ModuleChoice, params: &[String], place: Place) -> RunRequest {
        RunRequest {
            modules: vec![ModuleRequest {
                source: module.source.clone(),
                module: module.name.clone(),
                params: params.to_vec(),
            }],
            kernel: KernelChoice::default(),
            place,
            yes: false,
            files: Vec::new(),
            command: Vec::new(),
        }
    }

    /// Returns the request of `koru debug`.
    pub fn of_debug(args: &DebugArgs) -> RunRequest {
        let place = Place::FreshVm {
            machine: args.machine.clone(),
            replay: None,
        };
        RunRequest {
            kernel: args.kernel.clone(),
            command: args.command.clone(),
            ..RunRequest::of_module(&args.module, &args.params, place)
        }
    }
}
