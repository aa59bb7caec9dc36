// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads and follows the kernel log.

use std::time::Duration;

use koru_klog::{Complaint, announced, first_complaint, taint_complaint};
use koru_protocol::{Call, LogRecord, Reply};

use crate::{Result, Session, calls::unexpected, connection::State};

impl Session {
    /// Inserts records that were read before this connection at the beginning of the log.
    pub fn prepend_records(&self, mut records: Vec<LogRecord>) {
        let mut state = self.state();
        records.append(&mut state.log);
        state.log = records;
    }

    /// Waits until every record logged so far has arrived, and returns the sequence number
    /// that the next record will get: a mark between two steps.
    pub fn mark(&self) -> Result<u64> {
        match self.ask("mark the log", Call::Mark)? {
            Reply::Marked(next) => Ok(next),
            _ => Err(unexpected("mark the log")),
        }
    }

    /// Returns the records that have arrived, from a sequence number on.
    pub fn log_since(&self, from: u64) -> Vec<LogRecord> {
        self.records(from, u64::MAX)
    }

    pub(crate) fn records(&self, from: u64, to: u64) -> Vec<LogRecord> {
        let state = self.state();
        let wanted = |r: &&LogRecord| (from..to).contains(&r.seq);
        state.log.iter().filter(wanted).cloned().collect()
    }

    /// Returns whether records were lost because they came faster than they could be read.
    pub fn log_has_gaps(&self) -> bool {
        self.state().lost
    }

    /// Follows the log from a sequence number on.
    pub fn follow(&self, from: u64) -> LogStream {
        LogStream {
            session: self.clone(),
            next: from,
        }
    }

    /// Returns the first complaint of the kernel since a [`Session::mark`], found in the log
    /// or in the taint bits (`before` comes from [`Session::taint`]).
    pub fn complaint_since(&self, mark: u64, before: u64) -> Result<Option<Complaint>> {
        let now = self.taint()?;
        let end = self.mark()?;
        Ok(self.complaint_between(mark, end, before, now))
    }

    pub(crate) fn complaint_between(
        &self,
        mark: u64,
        end: u64,
        before: u64,
        now: u64,
    ) -> Option<Complaint> {
        let records = self.records(mark, end);
        // A report that was expected leaves these taint bits behind.
        let expected = announced(&records).iter().fold(0, |bits, r| bits | r.taint);
        first_complaint(&records).or_else(|| taint_complaint(before | expected, now))
    }
}

/// A stream of the log's records, as they arrive.
pub struct LogStream {
    session: Session,
    next: u64,
}

impl LogStream {
    /// Waits for more records, and returns none when `limit` has passed. When the guest is
    /// gone and all records have been returned, the guest's death is the error.
    pub fn next(&mut self, limit: Duration) -> Result<Vec<LogRecord>> {
        let from = self.next;
        let newer = |s: &State| s.log.last().is_some_and(|r| r.seq >= from);
        let state = self.session.state();
        let (state, _) = self
            .session
            .shared
            .changed
            .wait_timeout_while(state, limit, |s| !newer(s) && s.death.is_none())
            .unwrap_or_else(|e| e.into_inner());
        let wanted = |r: &&LogRecord| r.seq >= from;
        let records: Vec<_> = state.log.iter().filter(wanted).cloned().collect();
        if let (true, Some(death)) = (records.is_empty(), &state.death) {
            return Err(state.error(death));
        }
        if let Some(last) = records.last() {
            self.next = last.seq + 1;
        }
        Ok(records)
    }
}
