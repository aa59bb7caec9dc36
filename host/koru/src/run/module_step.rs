// SPDX-License-Identifier: MIT OR Apache-2.0

//! Loads or unloads a module while the log is shown.

use koru_error::{Error, Result};
use koru_session::{ModuleReport, Session};

use crate::{
    context::Context,
    failure::ErrorObject,
    guest::complaint_error,
    log::{oops, view::LogSink},
    run::{observe::observe, outcome::Record},
    ui::json,
};

/// Loads or unloads a module, as `act` does, and shows what is logged meanwhile.
pub fn module_step(
    context: &Context,
    session: &Session,
    what: &str,
    act: impl FnOnce(&Session) -> koru_session::Result<ModuleReport>,
) -> Result<u8> {
    let sink = if context.json {
        LogSink::Nowhere
    } else {
        LogSink::Stdout
    };
    let observed = observe(context, session, sink, || act(session).map_err(Error::from))?;
    let complaint = observed.complaint.as_ref();
    let complaint = complaint.map(|c| complaint_error(what, c));
    if context.json {
        let error = observed.outcome.as_ref().err().or(complaint.as_ref());
        let error = error.map(ErrorObject::from);
        let records: Vec<_> = observed.log.iter().map(Record::from).collect();
        let decoded = oops::decoded(&oops::decoder(context), &observed.log);
        json(&serde_json::json!({ "error": error, "log": records, "decoded": decoded }));
    }
    observed.outcome?;
    match complaint {
        Some(complaint) => Err(complaint),
        None => Ok(0),
    }
}
