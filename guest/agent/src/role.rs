// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the agent's own program in another role.

use std::{fs, process::Command};

use crate::boot;

/// Returns a command that runs the agent's own program in a role.
pub fn own_binary(role: &str) -> Command {
    /// This program, even if its file is gone by now.
    const SELF: &str = "/proc/self/exe";
    /// The file of PID 1, which this is on kernels without /proc.
    const INIT: &str = "/init";
    let has_proc = fs::symlink_metadata(SELF).is_ok();
    let mut command = Command::new(if has_proc { SELF } else { INIT });
    command.arg(role).env_clear().env("PATH", boot::PATH);
    command
}
