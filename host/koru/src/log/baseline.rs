// SPDX-License-Identifier: MIT OR Apache-2.0

//! The state of a kernel before something is done to it.

use koru_klog::Complaint;
use koru_session::{Result, Session};

/// The state of a kernel before something is done to it: where its log ended, and how it was
/// tainted.
#[derive(Clone, Copy)]
pub struct Baseline {
    /// The sequence number of the first log record after the baseline.
    pub mark: u64,
    pub taint: u64,
}

impl Baseline {
    pub fn of(session: &Session) -> Result<Baseline> {
        let taint = session.taint()?;
        let mark = session.mark()?;
        Ok(Baseline { mark, taint })
    }

    /// Returns the kernel's first complaint since the baseline: a report in the log, or a
    /// taint bit that was not set.
    pub fn complaint(&self, session: &Session) -> Result<Option<Complaint>> {
        session.complaint_since(self.mark, self.taint)
    }
}
