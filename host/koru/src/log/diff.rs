// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compares the logs of two runs.

use koru_klog::{LogRecord, format_record};
use similar::{Algorithm, DiffTag, capture_diff_slices, group_diff_ops};

/// The number of unchanged lines that are shown around a difference.
const AROUND: usize = 3;

/// The difference between two logs, except for the times of the records.
pub struct LogDiff {
    /// The difference for people to read: `+`, `-`, and some lines around them.
    pub lines: Vec<String>,
    pub added: Vec<LogRecord>,
    pub gone: Vec<LogRecord>,
}

impl LogDiff {
    pub fn new(old: &[LogRecord], new: &[LogRecord], colour: bool) -> LogDiff {
        let said = |log: &[LogRecord]| -> Vec<(u8, String)> {
            log.iter().map(|r| (r.level, r.text.clone())).collect()
        };
        let ops = capture_diff_slices(Algorithm::Myers, &said(old), &said(new));
        let mut diff = LogDiff {
            lines: Vec::new(),
            added: Vec::new(),
            gone: Vec::new(),
        };
        let groups = group_diff_ops(ops, AROUND);
        let mut shown = 0;
        for group in &groups {
            let before = group.first().map_or(0, |op| op.new_range().start);
            diff.skipped(before - shown);
            for op in group {
                if op.tag() == DiffTag::Equal {
                    let same = &new[op.new_range()];
                    diff.lines.extend(
                        same.iter()
                            .map(|r| format!("  {}", format_record(r, colour))),
                    );
                    continue;
                }
                for record in &old[op.old_range()] {
                    diff.lines.push(marked('-', "\x1b[31m", record, colour));
                    diff.gone.push(record.clone());
                }
                for record in &new[op.new_range()] {
                    diff.lines.push(marked('+', "\x1b[32m", record, colour));
                    diff.added.push(record.clone());
                }
            }
            shown = group.last().map_or(shown, |op| op.new_range().end);
        }
        if !groups.is_empty() {
            diff.skipped(new.len() - shown);
        }
        diff
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.gone.is_empty()
    }

    fn skipped(&mut self, lines: usize) {
        match lines {
            0 => {}
            1 => self.lines.push("  ... 1 unchanged line".into()),
            n => self.lines.push(format!("  ... {n} unchanged lines")),
        }
    }
}

fn marked(mark: char, paint: &str, record: &LogRecord, colour: bool) -> String {
    let text = format_record(record, false);
    // A record of several lines is added or removed as a whole.
    let text = text.replace('\n', &format!("\n{mark} "));
    match colour {
        true => format!("{paint}{mark} {text}\x1b[0m"),
        false => format!("{mark} {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(texts: &[&str], from_us: u64) -> Vec<LogRecord> {
        let record = |(n, text): (usize, &&str)| LogRecord {
            seq: n as u64,
            level: 6,
            facility: 0,
            timestamp_us: from_us + n as u64,
            text: text.to_string(),
            continuation: false,
        };
        texts.iter().enumerate().map(record).collect()
    }

    #[test]
    fn time_does_not_count() {
        let texts = ["one", "two"];
        assert!(LogDiff::new(&log(&texts, 5), &log(&texts, 9), false).is_empty());
        assert!(LogDiff::new(&[], &[], false).lines.is_empty());
    }

    #[test]
    fn new_and_gone() {
        let old = log(&["a", "b", "c", "d", "e", "old\nold too", "f"], 0);
        let new = log(&["a", "b", "c", "d", "e", "new", "f"], 1_000_000);
        let diff = LogDiff::new(&old, &new, false);
        assert_eq!(
            diff.lines,
            [
                "  ... 2 unchanged lines",
                "  [    1.000002] c",
                "  [    1.000003] d",
                "  [    1.000004] e",
                "- [    0.000005] old\n- old too",
                "+ [    1.000005] new",
                "  [    1.000006] f",
            ]
        );
        assert_eq!((diff.added.len(), diff.gone.len()), (1, 1));
    }

    #[test]
    fn from_and_to_nothing() {
        let some = log(&["a", "b"], 0);
        let all = LogDiff::new(&[], &some, true);
        assert_eq!(all.lines[1], "\x1b[32m+ [    0.000001] b\x1b[0m");
        let gone = LogDiff::new(&some, &[], false);
        assert_eq!(gone.lines, ["- [    0.000000] a", "- [    0.000001] b"]);
    }
}
