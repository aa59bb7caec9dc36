// SPDX-License-Identifier: MIT OR Apache-2.0

//! The rows of the tables of what kernels print, and how a row recognises a line.

use crate::{ComplaintKind, ReportKind};

/// What a line looks like, the complaint that it is, and the report that it begins.
pub(crate) struct Row {
    pub text: Text,
    pub complaint: Option<ComplaintKind>,
    pub report: Option<ReportKind>,
    /// Whether the line is a report even if no stack follows it. Other lines could be a
    /// module's own words.
    pub sure: bool,
}

/// How a line is recognised.
///
/// Most rows match the beginning of the line: a module's own message may well contain
/// "WARNING: " later on, and the kernel reports faults of user space in the same words.
pub(crate) enum Text {
    /// The line begins with this.
    Begin(&'static str),
    /// The line begins with the first text, and contains the second one behind it.
    BeginAnd(&'static str, &'static str),
    /// The line contains this.
    Within(&'static str),
    /// The line contains this behind one of the beginnings that lockdep has had, `WARNING: `,
    /// `BUG: ` and `INFO: `, also in brackets.
    Titled(&'static str),
}

impl Text {
    pub fn fits(&self, line: &str) -> bool {
        match *self {
            Text::Begin(begin) => line.starts_with(begin),
            Text::BeginAnd(begin, behind) => {
                let rest = line.strip_prefix(begin);
                rest.is_some_and(|rest| rest.contains(behind))
            }
            Text::Within(text) => line.contains(text),
            Text::Titled(text) => {
                let line = line.strip_prefix("[ ").unwrap_or(line);
                let rest = behind(line, &["WARNING: ", "BUG: ", "INFO: "]);
                rest.is_some_and(|rest| rest.contains(text))
            }
        }
    }
}

pub(crate) const fn row(
    text: Text,
    complaint: Option<ComplaintKind>,
    report: Option<ReportKind>,
) -> Row {
    Row {
        text,
        complaint,
        report,
        sure: false,
    }
}

/// Returns a row for a line that nobody but the kernel prints.
pub(crate) const fn sure(text: Text, complaint: Option<ComplaintKind>, report: ReportKind) -> Row {
    Row {
        text,
        complaint,
        report: Some(report),
        sure: true,
    }
}

/// Returns the rest of a text behind the first of these beginnings that it has.
pub(crate) fn behind<'a>(text: &'a str, begins: &[&str]) -> Option<&'a str> {
    begins.iter().find_map(|begin| text.strip_prefix(begin))
}
