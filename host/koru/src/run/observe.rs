// SPDX-License-Identifier: MIT OR Apache-2.0

//! Observes a part of a run: its outcome, what was logged, and whether the kernel complained.

use koru_error::{Error, Result};
use koru_klog::{Complaint, LogRecord};
use koru_session::Session;

use crate::{
    context::Context,
    log::view::{Follower, LogSink, log_contains_lines},
};

/// The outcome of a part of a run, and what the kernel logged meanwhile.
pub struct Observed<T> {
    pub outcome: Result<T>,
    /// Everything that was logged, whatever the outcome.
    pub log: Vec<LogRecord>,
    /// The complaint of a kernel that did what was asked nevertheless.
    pub complaint: Option<Complaint>,
}

/// Does `work` on a target while the target's log is followed.
///
/// The log goes to `sink`. If `work` fails, its error leaves out what the log has shown
/// already, and no complaint is looked for, because the error says more.
pub fn observe<T>(
    context: &Context,
    session: &Session,
    sink: LogSink,
    work: impl FnOnce() -> Result<T>,
) -> Result<Observed<T>> {
    let taint = session.taint()?;
    let mark = session.mark()?;
    let observed = observe_from(context, session, mark, sink, work);
    let complaint = match observed.outcome {
        Ok(_) => session.complaint_since(mark, taint)?,
        Err(_) => None,
    };
    Ok(Observed {
        complaint,
        ..observed
    })
}

/// Does `work` on a target while the target's log is followed from the record `mark` on.
pub fn observe_from<T>(
    context: &Context,
    session: &Session,
    mark: u64,
    sink: LogSink,
    work: impl FnOnce() -> Result<T>,
) -> Observed<T> {
    let follower = Follower::start(context, session, mark, sink);
    let outcome = work();
    let log = follower.finish();
    Observed {
        outcome: outcome.map_err(|e| without_shown_log(e, &log, sink)),
        log,
        complaint: None,
    }
}

/// Removes the log from an error if it was shown as it came.
pub fn without_shown_log(mut error: Error, log: &[LogRecord], sink: LogSink) -> Error {
    let told = error
        .output
        .as_ref()
        .is_some_and(|o| log_contains_lines(log, o));
    if !matches!(sink, LogSink::Nowhere) && told {
        error.output = None;
    }
    error
}
