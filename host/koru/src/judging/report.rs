// SPDX-License-Identifier: MIT OR Apache-2.0

//! Shows findings: as a table, as Markdown, and as a JUnit report.

use std::{fs, path::Path, time::Duration};

use koru_error::{IoContext, Result};
use koru_judge::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::findings::{Findings, PromiseResult};
use crate::{
    testing::{
        junit::write_junit_file,
        markdown::{escape, fenced},
    },
    ui::new_table,
};

/// The number of characters of what was seen that a table shows.
const IN_A_TABLE: usize = 480;

/// Returns the findings for a terminal.
pub fn table(findings: &Findings) -> String {
    let mut table = new_table();
    table.set_header(["promise", "result", "points", "what was seen"]);
    for result in &findings.promises {
        table.add_row([
            in_group(result, &result.title),
            result.result.word().to_owned(),
            format!("{}/{}", short(result.points), short(result.of)),
            result.words().chars().take(IN_A_TABLE).collect(),
        ]);
    }
    let rows = match &findings.build_output {
        Some(output) => format!("the module does not build:\n{}\n", output.trim_end()),
        None => table.trim_fmt(),
    };
    format!(
        "\n{rows}\n\n{} by the contract {}, on {}\n{}",
        findings.module,
        findings.contract,
        findings.kernel,
        findings.score()
    )
}

/// Returns a title with that of the group before it.
fn in_group(result: &PromiseResult, title: &str) -> String {
    match &result.group {
        Some(group) => format!("{group}: {title}"),
        None => title.to_owned(),
    }
}

/// Returns a number of points with at most two decimals.
pub fn short(points: f64) -> String {
    format!("{}", (points * 100.0).round() / 100.0)
}

/// Writes findings as a JUnit report, with a suite for each module.
pub fn write_junit(all: &[&Findings], path: &Path) -> Result<()> {
    let mut report = Report::new("koru verify");
    for findings in all {
        report.add_test_suite(suite(findings));
    }
    write_junit_file(&report, path)
}

fn suite(findings: &Findings) -> TestSuite {
    let mut suite = TestSuite::new(format!("{} on {}", findings.module, findings.kernel));
    for result in &findings.promises {
        let mut status = match result.result {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Verdict::Crash => TestCaseStatus::non_success(NonSuccessKind::Error),
            Verdict::NotTried if findings.build_output.is_some() => {
                TestCaseStatus::non_success(NonSuccessKind::Error)
            }
            Verdict::Undecided | Verdict::NotTried => TestCaseStatus::skipped(),
        };
        if result.result != Verdict::Pass {
            status.set_message(result.words());
            let build = findings.build_output.as_deref().unwrap_or_default();
            status.set_description(format!("{}\n\n{}{build}", result.title, result.shown_log));
        }
        let mut case = TestCase::new(result.name.clone(), status);
        case.set_classname(findings.contract.clone());
        case.set_time(Duration::from_secs_f64(result.seconds));
        case.add_property(("promise", result.title.as_str()));
        case.add_property(("points", short(result.points).as_str()));
        case.add_property(("of", short(result.of).as_str()));
        suite.add_test_case(case);
    }
    suite.add_property(("points", short(findings.points).as_str()));
    suite.add_property(("of", short(findings.of).as_str()));
    suite.add_property(("kernel", findings.kernel.as_str()));
    suite
}

/// Returns the findings in Markdown, for the student. A secret promise stays secret.
pub fn markdown(findings: &Findings) -> String {
    let mut text = format!(
        "# {}: {}\n\n- Module: {}\n- Kernel: {}\n",
        escape(&findings.title),
        findings.score(),
        escape(&findings.module),
        escape(&findings.kernel)
    );
    if let Some(output) = &findings.build_output {
        text += &format!("\n## It does not build\n\n{}", fenced(output));
    }
    text += "\n| Promise | Result | Points |\n|---|---|---|\n";
    for result in &findings.promises {
        text += &format!(
            "| {} | {} | {} of {} |\n",
            escape(&in_group(result, shown_title(result))),
            result.result.word(),
            short(result.points),
            short(result.of)
        );
    }
    for result in findings.promises.iter().filter(|r| is_told(r)) {
        let word = result.result.word();
        text += &format!("\n## {word}: {}\n\n", escape(&result.title));
        text += &fenced(&result.words());
        if !result.shown_log.trim().is_empty() {
            text += &format!(
                "\nThe kernel's log meanwhile:\n\n{}",
                fenced(&result.shown_log)
            );
        }
    }
    text
}

/// Returns a promise's title as the student may read it.
pub fn shown_title(result: &PromiseResult) -> &str {
    match result.secret {
        true => "(a promise that follows from the text of the lab)",
        false => &result.title,
    }
}

/// Returns whether the student reads what was seen.
pub fn is_told(result: &PromiseResult) -> bool {
    !result.secret
        && (result.unmet.is_some()
            || matches!(
                result.result,
                Verdict::Fail | Verdict::Crash | Verdict::Undecided
            ))
}

/// Writes a text to a file, and makes its folder.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .path_context("writing", path)
}
