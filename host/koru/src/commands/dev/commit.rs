// SPDX-License-Identifier: MIT OR Apache-2.0

//! The commit of the checkout.

use std::process::Command;

use koru_error::Result;

use crate::context::Context;

/// Returns the checkout's current commit.
pub fn current(context: &Context) -> Result<String> {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(&context.home.root)
        .args(["rev-parse", "HEAD"]);
    let run = koru_kernels::run(&mut git, "asking git for the current commit");
    let run = run.map_err(|e| e.help("name the commit: `--commit HASH`"))?;
    Ok(run.stdout.trim().to_owned())
}
