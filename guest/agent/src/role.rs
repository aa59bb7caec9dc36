// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the agent's own program in another role.

use std::process::Command;

use crate::boot;

/// Returns a command that runs the agent's own program in a role.
pub fn own_binary(role: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(role).env_clear().env("PATH", boot::PATH);
    command
}
