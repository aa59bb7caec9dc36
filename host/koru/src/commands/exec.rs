// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru exec`: runs a command on a target that stays up.

use koru_error::Result;

use crate::{cli::ExecArgs, context::Context, exec, target::session::connect};

pub fn exec(context: &Context, args: &ExecArgs) -> Result<u8> {
    exec::run(&connect(context, &args.target)?, &args.command)
}
