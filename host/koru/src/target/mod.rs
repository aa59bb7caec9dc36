// SPDX-License-Identifier: MIT OR Apache-2.0

//! Targets, where modules are loaded: virtual machines, this machine, another machine.

pub mod acceptance;
pub mod consent;
pub mod fresh_vm;
pub mod headers;
pub mod load_error;
pub mod machine;
pub mod name;
pub mod needed_modules;
pub mod own_machine;
pub mod parameters;
pub mod password;
pub mod replayed_vm;
pub mod request;
pub mod session;
pub mod staging;
pub mod standing_vm;
pub mod traits;

use koru_error::Result;

use crate::context::Context;
use fresh_vm::FreshVm;
use own_machine::OwnMachine;
use replayed_vm::ReplayedVm;
use request::{Place, RunRequest};
use standing_vm::StandingVm;
use traits::Target;

/// Builds the modules of a request, starts the target or connects to it, and copies everything
/// to the target that the request needs.
pub fn prepare(context: &Context, request: &RunRequest) -> Result<Box<dyn Target>> {
    Ok(match &request.place {
        Place::FreshVm {
            machine,
            replay: Some(seed),
        } => Box::new(ReplayedVm::prepare(context, request, machine, *seed)?),
        Place::FreshVm { machine, .. } => {
            Box::new(FreshVm::prepare(context, request, machine, None)?)
        }
        Place::StandingVm(vm) => Box::new(StandingVm::prepare(context, request, vm)?),
        Place::OwnMachine(name) => Box::new(OwnMachine::prepare(context, request, name)?),
    })
}
