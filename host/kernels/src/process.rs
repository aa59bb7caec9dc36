// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs tools, and turns their failures into errors that contain their output.

use std::{
    ffi::OsStr,
    io::{self, BufRead, BufReader, Read},
    process::{Command, ExitStatus, Output, Stdio},
    thread,
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
    let said = format!("{}{}", run.stdout, run.stderr);
    Err(failure(command, attempted, output.status).output(said))
}

/// Runs a tool as [`run`] does, and passes on the lines that it writes to stdout as they come.
pub(crate) fn run_with_lines(
    command: &mut Command,
    attempted: &str,
    line: &dyn Fn(&str),
) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| spawn_error(command, attempted, e))?;
    let stdout = child.stdout.take().expect("piped");
    let mut stderr = child.stderr.take().expect("piped");
    let said = thread::scope(|s| {
        let said = s.spawn(move || {
            let mut said = String::new();
            let _ = stderr.read_to_string(&mut said);
            said
        });
        for text in BufReader::new(stdout).lines().map_while(|l| l.ok()) {
            line(&text);
        }
        said.join().unwrap_or_default()
    });
    let status = child
        .wait()
        .map_err(|e| spawn_error(command, attempted, e))?;
    match status.success() {
        true => Ok(()),
        false => Err(failure(command, attempted, status).output(said)),
    }
}

fn failure(command: &Command, attempted: &str, status: ExitStatus) -> Error {
    let message = format!("`{}` failed ({status})", name(command));
    Error::new(Kind::System, attempted, message)
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
