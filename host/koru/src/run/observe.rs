// SPDX-License-Identifier: MIT OR Apache-2.0

//! Observes a part of a run: its outcome, what was logged, and whether the kernel complained.

use koru_error::{Error, Result};
use koru_klog::{Complaint, LogRecord};
use koru_session::Session;

use crate::{
    context::Context,
    log::{
        baseline::Baseline,
        view::{Follower, LogSink, log_contains_lines},
    },
};

/// The outcome of a part of a run, and what the kernel logged meanwhile.
pub struct Observed<T> {
    pub outcome: Result<T>,
    /// Everything that was logged, whatever the outcome.
    pub log: Vec<LogRecord>,
    /// The complaint of a kernel that did what was asked nevertheless.
    pub complaint: Option<Complaint>,
}

/// Does `work` on a target while the target's log is followed, and then looks for a complaint
/// of the kernel's. If `work` fails, no complaint is looked for, because the error says more.
pub fn observe<T>(
    context: &Context,
    session: &Session,
    sink: LogSink,
    work: impl FnOnce() -> Result<T>,
) -> Result<Observed<T>> {
    let baseline = Baseline::of(session)?;
    Ok(observe_from(context, session, baseline.mark, sink, || {
        let done = work()?;
        Ok((done, baseline.complaint(session)?))
    }))
}

/// Does `work`, which returns the kernel's complaint as well, while the target's log is
/// followed from the record `mark` on.
///
/// The log goes to `sink`. If `work` fails, its error leaves out what the log has shown
/// already.
pub fn observe_from<T>(
    context: &Context,
    session: &Session,
    mark: u64,
    sink: LogSink,
    work: impl FnOnce() -> Result<(T, Option<Complaint>)>,
) -> Observed<T> {
    let follower = Follower::start(context, session, mark, sink);
    let outcome = work();
    let log = follower.finish();
    let (outcome, complaint) = match outcome {
        Ok((done, complaint)) => (Ok(done), complaint),
        Err(e) => (Err(without_shown_log(e, &log, sink)), None),
    };
    Observed {
        outcome,
        log,
        complaint,
    }
}

/// Removes the log from an error if it was shown as it came.
fn without_shown_log(mut error: Error, log: &[LogRecord], sink: LogSink) -> Error {
    let shown = error
        .output
        .as_ref()
        .is_some_and(|output| log_contains_lines(log, output));
    if !matches!(sink, LogSink::Nowhere) && shown {
        error.output = None;
    }
    error
}
