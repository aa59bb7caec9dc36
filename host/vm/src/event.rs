// SPDX-License-Identifier: MIT OR Apache-2.0

//! Progress of a guest's start.

use std::{fmt, time::Duration};

use koru_protocol::LogRecord;
use koru_qemu::Accel;

/// Progress of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// QEMU is being started.
    Starting(Accel),
    /// KVM gave no sign of life: TCG is used, and will be until the host's
    /// next boot. With what was seen of it.
    FellBack(String),
    /// A machine is booted that later guests go on from.
    Saving,
    /// A guest goes on from a saved machine.
    Resuming,
    /// That did not work, for this reason; the guest boots.
    NotResumed {
        /// Why.
        why: String,
        /// What the guest's kernel had to say, if it was its fault.
        records: Vec<LogRecord>,
    },
    /// The agent is up.
    Ready {
        /// The kernel's release.
        release: String,
        /// Since the start.
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
                    "KVM does not work here ({why}): going on without it, slower"
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
