// SPDX-License-Identifier: MIT OR Apache-2.0

//! A part of a run while its log is followed: what it came to, what was logged, and
//! whether the kernel complained.

use koru_error::{Error, Result};
use koru_klog::{Complaint, LogRecord};
use koru_session::Session;

use crate::{
    context::Context,
    log::view::{Follower, LogSink, log_contains_lines},
};

/// What was done, and what the kernel had to say.
pub struct Observed<T> {
    pub outcome: Result<T>,
    /// All that was logged, whatever the outcome.
    pub log: Vec<LogRecord>,
    /// Set when the kernel did what was asked, but complained.
    pub complaint: Option<Complaint>,
}

/// Does `work` on a target whose log is followed meanwhile.
///
/// The log goes to `sink`. An error of `work` leaves out what the log has shown already.
/// After an error no complaint is looked for: the error tells more.
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

/// Does `work` on a target whose log is followed from the record `mark` on.
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

/// A log that was shown as it came is not shown again.
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
