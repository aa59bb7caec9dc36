// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes the results as the generated part of `docs/kernels.md`.

use std::collections::BTreeSet;

use koru_kernels::short_names;

use super::results::{Results, TestedKernel, TestedSuite};

pub(super) const BEGIN: &str = "<!-- `koru dev kernels-table` writes this part. -->";
pub(super) const END: &str = "<!-- The generated part ends here. -->";

/// Returns a page with this table between the marks, or `None` if it lacks them.
pub(super) fn with_table(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

/// Returns the tables: one of these modules, one of all other files of tests, and one of the
/// kernels.
pub(super) fn table(results: &Results, modules: &[String]) -> String {
    if results.kernel.is_empty() {
        return "No reports have been added yet.\n".into();
    }
    let mut notes = Notes::default();
    let suites = results.kernel.iter().flat_map(|k| k.suites.keys());
    let names: BTreeSet<&String> = suites.collect();
    let (own, others): (Vec<&String>, Vec<&String>) =
        names.into_iter().partition(|name| modules.contains(name));
    let modules = rows("module", &own, results, &mut notes);
    let others = rows("tests", &others, results, &mut notes);
    let mut text = format!("{modules}\n{others}\n");
    for (i, note) in notes.0.iter().enumerate() {
        text += &format!("{}. {note}\n", i + 1);
    }
    if !notes.0.is_empty() {
        text += "\n";
    }
    text + &kernels(results)
}

/// Returns the kernels' names at the top of the columns.
fn headings(results: &Results) -> Vec<String> {
    let releases: Vec<&str> = results.kernel.iter().map(|k| &*k.release).collect();
    short_names(&releases)
}

fn rows(what: &str, names: &[&String], results: &Results, notes: &mut Notes) -> String {
    let mut lines = vec![line([what.to_owned()].into_iter().chain(headings(results)))];
    lines.push(rule(results.kernel.len() + 1));
    for name in names {
        let cells = results.kernel.iter();
        let cells = cells.map(|kernel| cell(kernel.suites.get(*name), notes));
        let cells: Vec<String> = cells.collect();
        lines.push(line([format!("`{name}`")].into_iter().chain(cells)));
    }
    lines.join("\n") + "\n"
}

/// Returns what is said about a file of tests on one kernel: how many passed, failed and were
/// skipped, with the numbers of the notes.
fn cell(suite: Option<&TestedSuite>, notes: &mut Notes) -> String {
    let Some(suite) = suite else {
        return "not run".into();
    };
    let mut parts = Vec::new();
    if suite.passed > 0 {
        parts.push(suite.passed.to_string());
    }
    if !suite.failed.is_empty() {
        let numbers = suite
            .failed
            .iter()
            .map(|test| notes.number(&format!("`{test}` failed")));
        let numbers: Vec<String> = numbers.map(|n| n.to_string()).collect();
        parts.push(format!(
            "**{} failed** ({})",
            suite.failed.len(),
            numbers.join(", ")
        ));
    }
    for (why, count) in &suite.skipped {
        parts.push(format!("{count} skipped ({})", notes.number(why)));
    }
    parts.join(", ")
}

fn kernels(results: &Results) -> String {
    let head = [
        "kernel", "release", "passed", "failed", "skipped", "date", "commit",
    ];
    let mut lines = vec![line(head.into_iter().map(str::to_owned)), rule(head.len())];
    let all = headings(results).into_iter().zip(&results.kernel);
    lines.extend(all.map(|(name, kernel)| kernel_line(name, kernel)));
    lines.join("\n") + "\n"
}

fn kernel_line(name: String, kernel: &TestedKernel) -> String {
    let sum = |of: fn(&TestedSuite) -> usize| -> String {
        let all = kernel.suites.values().map(of);
        all.sum::<usize>().to_string()
    };
    line(
        [
            name,
            kernel.release.clone(),
            sum(|suite| suite.passed),
            sum(|suite| suite.failed.len()),
            sum(|suite| suite.skipped.values().sum()),
            kernel.date.clone(),
            format!("`{}`", kernel.commit),
        ]
        .into_iter(),
    )
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {} |", cells.join(" | "))
}

fn rule(columns: usize) -> String {
    format!("|{}", "---|".repeat(columns))
}

/// The notes below the tables, each of them once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    /// Returns the number of a note.
    fn number(&mut self, note: &str) -> usize {
        if let Some(at) = self.0.iter().position(|n| n == note) {
            return at + 1;
        }
        self.0.push(note.to_owned());
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: &str = r#"
[[kernel]]
release = "6.1.0-56-cloud-amd64"
date = "2026-11-27"
commit = "abc"

[kernel.suites.hello]
passed = 5

[kernel.suites.kernel_kasan]
passed = 0
skipped = { "this kernel has no KASAN" = 2 }

[[kernel]]
release = "7.3.4+deb13-rt-amd64"
date = "2026-11-26"
commit = "abd"

[kernel.suites.kernel_kasan]
passed = 1
failed = ["overflow"]
"#;

    #[test]
    fn every_suite_has_a_row() {
        let results = Results::parse(RESULTS).expect("TOML");
        let text = table(&results, &["hello".into()]);
        for line in [
            "| module | 6.1-cloud | 7.3-rt |",
            "| `hello` | 5 | not run |",
            "| `kernel_kasan` | 2 skipped (1) | 1, **1 failed** (2) |",
            "1. this kernel has no KASAN",
            "2. `overflow` failed",
            "| 6.1-cloud | 6.1.0-56-cloud-amd64 | 5 | 0 | 2 | 2026-11-27 | `abc` |",
        ] {
            assert!(text.lines().any(|l| l == line), "no `{line}`\n{text}");
        }
    }

    #[test]
    fn only_the_part_between_the_marks_changes() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let new = with_table(&page, "new\n").expect("a page with marks");
        assert_eq!(new, format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert_eq!(with_table(&new, "new\n").as_ref(), Some(&new));
        assert_eq!(with_table("a\n", "new\n"), None);
    }
}
