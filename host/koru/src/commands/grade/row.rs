// SPDX-License-Identifier: MIT OR Apache-2.0

//! The row of a student: findings, or why there are none. It is kept for the next run.

use std::{fs, path::Path};

use koru_error::Result;
use koru_kernels::Key;
use serde::{Deserialize, Serialize};

use crate::judging::{findings::Findings, report::write_text};

/// Returns the name of a student's files: other students have other ones, whatever their names
/// consist of.
pub fn file_name(student: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name: String = student
        .chars()
        .take(60)
        .map(|c| if safe(c) { c } else { '_' })
        .collect();
    match name == student {
        true => name,
        false => format!("{name}-{}", &Key::default().with(student).hex()[..8]),
    }
}

/// The row of a student.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub student: String,
    /// What everything about the row depends on.
    pub key: String,
    pub seed: u64,
    pub findings: Findings,
    /// Why nothing was judged, if that is so.
    pub problem: Option<String>,
    pub seconds: f64,
}

impl Row {
    /// Reads a row of an earlier run.
    pub fn read(path: &Path) -> Option<Row> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string(self).unwrap_or_default();
        write_text(path, &text)
    }

    /// Returns one word for how it ended.
    pub fn state(&self) -> &'static str {
        match () {
            () if self.problem.is_some() => "problem",
            () if self.findings.build_output.is_some() => "does-not-build",
            () if self.findings.all_kept() => "all-kept",
            () => "judged",
        }
    }

    /// Returns what differs from an earlier row, in words.
    pub fn difference(&self, old: &Row) -> Option<String> {
        let (new, before) = (&self.findings, &old.findings);
        let mut changed = Vec::new();
        for result in &new.promises {
            match before.promises.iter().find(|r| r.name == result.name) {
                Some(old) if old.result == result.result && old.points == result.points => {}
                Some(old) => changed.push(format!(
                    "{}: {} -> {}",
                    result.name,
                    old.result.name(),
                    result.result.name()
                )),
                None => changed.push(format!("{}: new, {}", result.name, result.result.name())),
            }
        }
        let gone = before.promises.iter();
        let gone = gone.filter(|old| !new.promises.iter().any(|r| r.name == old.name));
        changed.extend(gone.map(|old| format!("{}: no longer judged", old.name)));
        if changed.is_empty() && new.score() == before.score() {
            return None;
        }
        let scores = format!("{} -> {}", before.score(), new.score());
        Some(format!("{scores} ({})", changed.join(", ")))
    }
}
