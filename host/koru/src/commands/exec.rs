// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru exec`: runs a command on a target that stays up.

use koru_error::Result;

use crate::{
    cli::ExecArgs, context::Context, exec, run::command::watched_command, target::session::connect,
};

pub fn exec(context: &Context, args: &ExecArgs) -> Result<u8> {
    let session = connect(context, &args.target)?;
    watched_command(context, &session, &args.target, || {
        exec::run(&session, &args.command)
    })
}
