// SPDX-License-Identifier: MIT OR Apache-2.0

//! Connects to the user's own machines: this one, and those that ssh reaches.

use std::sync::PoisonError;

use koru_error::Result;
use koru_kernels::Progress;
use koru_session::Session;

use crate::{
    context::Context,
    dependencies,
    target::{name::TargetName, password::ask_password},
};

/// Returns the session with a target other than `vm`. A connection is used again as long as it
/// works, so the password is asked for once.
pub fn connect(context: &Context, target: &TargetName) -> Result<Session> {
    let mut current = context
        .target_session
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(session) = current.as_ref().filter(|s| s.death().is_none()) {
        return Ok(session.clone());
    }
    let session = open_connection(context, target)?;
    Ok(current.insert(session).clone())
}

fn open_connection(context: &Context, target: &TargetName) -> Result<Session> {
    let agent = dependencies::agent_path()?;
    let TargetName::Ssh(machine) = target else {
        return koru_session::local(&agent);
    };
    let program = std::env::var("KORU_SSH").ok().filter(|p| !p.is_empty());
    let password = ask_password(context, machine.to_string());
    let status = |text: &str| context.ui.status(text);
    let session = machine.connect(program.as_deref(), &agent, &status, password);
    context.ui.done();
    session
}
