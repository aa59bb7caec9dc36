// SPDX-License-Identifier: MIT OR Apache-2.0

//! The progress of a guest's start.

use std::{fmt, time::Duration};

use koru_protocol::LogRecord;
use koru_qemu::Accel;

/// A step in the start of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// QEMU is being started.
    Starting(Accel),
    /// KVM showed no sign of life, for the reason that is given. TCG is used instead, until
    /// the host's next boot.
    FellBack(String),
    /// A guest is booted to create a snapshot that later guests resume from.
    Saving,
    /// A guest resumes from a snapshot.
    Resuming,
    /// A snapshot could not be resumed or created; the guest boots instead.
    NotResumed {
        /// The reason.
        why: String,
        /// The guest's log records, if its kernel caused the failure.
        records: Vec<LogRecord>,
    },
    /// The agent is running.
    Ready {
        /// The kernel's release.
        release: String,
        /// The time since the start.
        after: Duration,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Starting(accel) => write!(f, "starting a guest ({accel})"),
            Event::FellBack(why) => {
                write!(
                    f,
                    "KVM does not work here ({why}): continuing without it, which is slower"
                )
            }
            Event::Saving => f.write_str("creating a snapshot of a guest (first run only)"),
            Event::Resuming => f.write_str("starting a guest"),
            Event::NotResumed { why, .. } => {
                write!(f, "resuming the snapshot failed: {why}")
            }
            Event::Ready { release, after } => {
                write!(f, "Linux {release} ready in {:.2} s", after.as_secs_f64())
            }
        }
    }
}
