// SPDX-License-Identifier: MIT OR Apache-2.0

//! Connects to a target that is running.

use koru_error::Result;
use koru_session::Session;

use crate::{
    cli::TargetArgs,
    context::Context,
    target::{machine, name::TargetName, standing_vm},
};

/// Returns the session with a target that is running.
pub fn connect(context: &Context, target: &TargetArgs) -> Result<Session> {
    match &target.target {
        TargetName::Vm => standing_vm::connect(&target.vm),
        other => machine::connect(context, other),
    }
}
