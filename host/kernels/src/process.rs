// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs tools, and turns their failures into errors that contain their output.

use std::{
    ffi::OsStr,
    io,
    process::{Command, Output, Stdio},
};

use koru_error::{Error, Kind, Result};

/// The output of a tool that has ended, as text.
#[derive(Debug)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
}

/// Runs a tool to its end, and turns a failure into an [`Error`] that contains the tool's
/// output.
pub fn run(command: &mut Command, attempted: &str) -> Result<Run> {
    let output = output(command, attempted)?;
    let run = Run {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    if output.status.success() {
        return Ok(run);
    }
    Err(Error::new(
        Kind::System,
        attempted,
        format!("`{}` failed ({})", name(command), output.status),
    )
    .output(format!("{}{}", run.stdout, run.stderr)))
}

/// Runs a tool to its end, whatever its exit status.
pub fn output(command: &mut Command, attempted: &str) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| spawn_error(command, attempted, e))
}

pub fn spawn_error(command: &Command, attempted: &str, error: io::Error) -> Error {
    let name = name(command);
    if error.kind() == io::ErrorKind::NotFound {
        Error::new(
            Kind::Missing,
            attempted,
            format!("there is no `{name}` here"),
        )
        .help("`koru doctor` says how to get what is missing; `koru setup` gets it")
    } else {
        Error::new(
            Kind::System,
            attempted,
            format!("`{name}` cannot be started: {error}"),
        )
    }
}

fn name(command: &Command) -> String {
    OsStr::to_string_lossy(command.get_program()).into_owned()
}
