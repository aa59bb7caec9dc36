// SPDX-License-Identifier: MIT OR Apache-2.0

//! A session with this machine itself: the agent runs here as root, and communicates over its
//! standard input and output.

use std::{
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use koru_error::{IoContext, Result};
use koru_protocol::Death;

use crate::{Session, error::target_error};

/// How long the agent may take to start. sudo may have to ask for a password.
const LIMIT: Duration = Duration::from_secs(300);

/// Starts the agent on this machine, through sudo when the caller is not root. The agent ends
/// with the last clone of the session.
pub fn local(agent: &Path) -> Result<Session> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new(agent)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("--").arg(agent);
        sudo
    };
    over(command.arg("--stdio"))
}

/// Opens a session with an agent that `command` starts.
fn over(command: &mut Command) -> Result<Session> {
    let program = Path::new(command.get_program()).to_owned();
    let (ours, theirs) = UnixStream::pair().context("making a socket pair")?;
    let theirs = OwnedFd::from(theirs);
    let output = theirs.try_clone().context("sharing a socket")?;
    let mut child = command
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::from(output))
        .spawn()
        .path_context("starting", &program)?;
    // `command` still holds the agent's end of the socket, and must not keep it open.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let session = Session::from_stream(ours, None, move |session| {
        let detail = match child.wait() {
            Ok(status) => format!("`{}` ended ({status})", program.display()),
            Err(e) => format!("`{}`: {e}", program.display()),
        };
        session.mark_dead(Death::Vanished {
            detail,
            console: String::new(),
        });
    })?;
    session.set_machine("this machine");
    if session.wait_ready(LIMIT).is_none() {
        let message = match session.death() {
            Some(Death::Vanished { detail, .. }) => detail,
            _ => format!("not done after {} s", LIMIT.as_secs()),
        };
        return Err(target_error(
            "starting Koru's agent on this machine, as root".to_owned(),
            message,
            "run koru as root, or as a user who may use sudo",
            "",
        ));
    }
    session.hello()?;
    Ok(session)
}
