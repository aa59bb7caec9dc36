// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the first complaint of a log, except for reports that a test has announced.

use std::ops::Range;

use koru_protocol::{KERNEL_MAY_SAY, LogRecord};

use crate::{Complaint, ComplaintKind, complaint, still_registered};

/// A report of the kernel's that a test has announced ([`KERNEL_MAY_SAY`]).
pub struct Announced {
    /// The indices of the report's records.
    pub range: Range<usize>,
    /// The taint bits that the report leaves behind.
    pub taint: u64,
}

/// Returns the texts with which a test has announced reports.
pub fn announcements(records: &[LogRecord]) -> Vec<&str> {
    let own = records.iter().filter(|r| r.facility != 0);
    let texts = own.filter_map(|r| r.text.strip_prefix(KERNEL_MAY_SAY));
    // An empty text would fit every line.
    texts.filter(|text| !text.is_empty()).collect()
}

/// Returns the reports that a test has announced: warnings, from "cut here" to "end trace";
/// reports of KASAN's, which a line of `=` ends; the message of a module that has to stay; and
/// the first line of a report of lockdep's, which is the only one that counts as a complaint.
pub fn announced(records: &[LogRecord]) -> Vec<Announced> {
    const WARNED: u64 = 1 << 9;
    const BAD_MEMORY: u64 = 1 << 5;
    let texts = announcements(records);
    let begins = |record: &LogRecord| {
        if is(record, "[ cut here ]") {
            return Some(("[ end trace ", ComplaintKind::Warning, WARNED));
        }
        let is_kasan = record.text.starts_with("BUG: KASAN: ") && record.facility == 0;
        is_kasan.then_some(("====================", ComplaintKind::Sanitizer, BAD_MEMORY))
    };
    let expected = |r: &LogRecord| texts.iter().any(|t| is(r, t));
    let stays = |r: &LogRecord| still_registered(std::slice::from_ref(r)).is_some();
    let is_lockdep = |r: &LogRecord| {
        let found = complaint(&r.text);
        r.facility == 0 && found.is_some_and(|c| c.kind == ComplaintKind::Lockdep)
    };
    let is_one_line = |r: &LogRecord| stays(r) || is_lockdep(r);
    let mut found: Vec<Announced> = (0..records.len())
        .filter(|&i| is_one_line(&records[i]) && expected(&records[i]))
        .map(|i| Announced {
            range: i..i + 1,
            taint: 0,
        })
        .collect();
    let mut at = 0;
    while let Some((begin, (last, kind, taint))) =
        (at..records.len()).find_map(|i| Some((i, begins(&records[i])?)))
    {
        let end = (begin + 1..records.len())
            .find(|i| is(&records[*i], last))
            .map_or(records.len(), |i| i + 1);
        let report = &records[begin..end];
        let mut lines = report
            .iter()
            .filter(|r| r.facility == 0)
            .flat_map(|r| r.text.lines());
        let is_alone = lines.all(|line| complaint(line).is_none_or(|c| c.kind == kind));
        if is_alone && report.iter().any(expected) {
            let range = begin..end;
            found.push(Announced { range, taint });
        }
        at = end;
    }
    found
}

fn is(record: &LogRecord, text: &str) -> bool {
    record.facility == 0 && record.text.contains(text)
}

/// Returns the first complaint in some records. Records of user space do not count, nor do
/// reports that a test has announced.
pub fn first_complaint(records: &[LogRecord]) -> Option<Complaint> {
    let expected = announced(records);
    let others = records
        .iter()
        .enumerate()
        .filter(|(i, _)| !expected.iter().any(|report| report.range.contains(i)));
    first_complaint_of(others.map(|(_, record)| record))
}

fn first_complaint_of<'a>(records: impl Iterator<Item = &'a LogRecord>) -> Option<Complaint> {
    let mut found = records
        .filter(|r| r.facility == 0)
        .flat_map(|r| r.text.lines())
        .filter_map(complaint);
    let first = found.next()?;
    // "cut here" only begins the report; the next line says what is wrong.
    if first.line.contains("cut here") {
        return Some(found.next().unwrap_or(first));
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use ComplaintKind::*;

    use super::*;

    fn record(facility: u8, text: &str) -> LogRecord {
        LogRecord {
            seq: 0,
            level: 4,
            facility,
            timestamp_us: 0,
            text: text.into(),
            continuation: false,
        }
    }

    #[test]
    fn an_announced_warning_is_none() {
        let warning = [
            record(0, "------------[ cut here ]------------"),
            record(0, "proc_dir_entry '/proc/timer' already registered"),
            record(
                0,
                "WARNING: CPU: 0 PID: 75 at fs/proc/generic.c:381 proc_register",
            ),
            record(0, "---[ end trace 0000000000000000 ]---"),
        ];
        let announce = |facility| record(facility, "koru: the kernel may say: already registered");
        let log = |first: LogRecord| [&[first], &warning[..]].concat();
        assert_eq!(first_complaint(&log(announce(1))), None);
        // The module itself cannot announce a warning, and no other warning is expected.
        assert!(first_complaint(&log(announce(0))).is_some());
        assert!(first_complaint(&log(record(1, "koru: the kernel may say: no"))).is_some());
        let mut twice = log(announce(1));
        twice.push(record(
            0,
            "BUG: kernel NULL pointer dereference, address: 0",
        ));
        assert_eq!(first_complaint(&twice).map(|c| c.kind), Some(Oops));
    }

    #[test]
    fn a_module_that_stays_may_be_announced() {
        let stays = record(
            0,
            "rust_kernel: t must stay in memory: its exit ended with ..",
        );
        let log = [record(0, "t: bye"), stays.clone()];
        assert_eq!(first_complaint(&log).map(|c| c.kind), Some(StillRegistered));
        assert!(still_registered(&log).is_some());
        let announce = record(1, "koru: the kernel may say: t must stay in memory");
        assert_eq!(first_complaint(&[announce.clone(), stays.clone()]), None);
        // The guest cannot be used further nevertheless.
        assert!(still_registered(&[announce, stays]).is_some());
        let by_user = record(1, "rust_kernel: t must stay in memory: no");
        assert_eq!(still_registered(&[by_user]), None);
    }

    #[test]
    fn an_announced_report_of_lockdep_is_none() {
        let held = record(0, "WARNING: lock held when returning to user space!");
        let other = record(0, "WARNING: possible recursive locking detected");
        assert_eq!(
            first_complaint(std::slice::from_ref(&held)).map(|c| c.kind),
            Some(Lockdep)
        );
        let announce = record(1, "koru: the kernel may say: lock held when returning");
        assert_eq!(first_complaint(&[announce.clone(), held.clone()]), None);
        let both = first_complaint(&[announce, held, other]).unwrap();
        assert!(both.line.contains("recursive"), "{both}");
    }

    #[test]
    fn an_announced_report_of_kasan_is_none() {
        let record = |facility, text: &str| LogRecord {
            seq: 0,
            level: 4,
            facility,
            timestamp_us: 0,
            text: text.into(),
            continuation: false,
        };
        let line = "=".repeat(66);
        let report = |what: &str| {
            [
                line.clone(),
                format!("BUG: KASAN: {what} in f+0x1/0x2 [m]"),
                "Write of size 1 at addr ffff888003d3c6d8 by task insmod/84".into(),
                line.clone(),
            ]
            .map(|text| record(0, &text))
        };
        let announce = [record(1, "koru: the kernel may say: BUG: KASAN: heap")];
        let log = |reports: &[&str]| -> Vec<LogRecord> {
            let reports = reports.iter().flat_map(|what| report(what));
            announce.iter().cloned().chain(reports).collect()
        };
        assert_eq!(first_complaint(&log(&["heap"])), None);
        let found = first_complaint(&log(&["heap", "stack"])).unwrap();
        assert_eq!(found.kind, Sanitizer);
        assert!(found.line.contains("stack"), "{found}");
        // Nothing else may hide in the report.
        let mut oops = log(&["heap"]);
        oops.insert(3, record(0, "Oops: 0000 [#1] PREEMPT SMP NOPTI"));
        assert!(first_complaint(&oops).is_some());
    }

    #[test]
    fn the_telling_line_is_chosen() {
        let log = [
            record(0, "t: fine"),
            record(0, "------------[ cut here ]------------"),
            record(0, "t_warn warns"),
            record(0, "WARNING: CPU: 0 PID: 75 at t_warn.c:5 m_init [t_warn]"),
        ];
        let found = first_complaint(&log).unwrap();
        assert!(found.line.starts_with("WARNING: CPU"), "{found}");
    }

    #[test]
    fn user_space_cannot_complain() {
        assert_eq!(first_complaint(&[record(1, "BUG: not the kernel's")]), None);
    }
}
