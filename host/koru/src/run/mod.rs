// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs modules: loads a module, runs a command and unloads the module.

pub mod in_vm;
pub mod module_step;
pub mod observe;
pub mod on_target;
pub mod outcome;
pub mod replay;
pub mod staging;

use koru_error::Result;

use crate::{cli::RunArgs, context::Context};
use outcome::{RunOptions, RunOutcome};

/// Runs a module on the target that the arguments name.
pub fn run_module(context: &Context, args: &RunArgs, options: &RunOptions) -> Result<RunOutcome> {
    if args.target.is_vm() {
        in_vm::run_in_vm(context, args, options)
    } else {
        on_target::run_on_target(context, args, options)
    }
}
