// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes the results of a class.

use std::path::Path;

use koru_error::Result;
use koru_judge::{Contract, Verdict};
use koru_klog::escape_control_chars;
use serde_json::{Value, json};

use super::{
    csv::csv,
    html,
    results::Results,
    row::{Row, file_name},
};
use crate::judging::{
    findings::{Findings, PromiseResult},
    report::{shown_title, write_junit, write_text},
};

/// Writes all results.
pub fn write(out: &Path, contract: &Contract, results: &Results) -> Result<()> {
    let rows = &results.rows;
    write_text(&out.join("grades.csv"), &csv(rows))?;
    let page = html::class(contract, results);
    write_text(&out.join("index.html"), &page)?;
    let findings: Vec<&Findings> = rows.iter().map(|r| &r.findings).collect();
    write_junit(&findings, &out.join("junit.xml"))?;
    for row in rows {
        let name = file_name(&row.student);
        let page = out.join("students").join(format!("{name}.html"));
        write_text(&page, &html::student(row))?;
        for (folder, value) in [("gradescope", gradescope(row)), ("github", github(row))] {
            let path = out.join(folder).join(&name).join("results.json");
            write_text(&path, &format!("{value:#}\n"))?;
        }
    }
    Ok(())
}

/// Returns the promises that passed or failed: these formats have nothing else.
fn decided(findings: &Findings) -> impl Iterator<Item = &PromiseResult> {
    findings
        .promises
        .iter()
        .filter(|result| result.is_decided())
}

/// Returns what is said about the whole: what went wrong, and the promises that were not tried.
fn said(row: &Row) -> String {
    let findings = &row.findings;
    let problem = row.problem.as_deref().or(findings.build_output.as_deref());
    let mut text = problem.unwrap_or_default().to_owned();
    for result in findings.promises.iter().filter(|r| r.unmet.is_some()) {
        let (title, words) = (shown_title(result), result.words());
        let line = match result.secret {
            true => format!("{title}: not tried"),
            false => format!("{title} {words}"),
        };
        text += &format!("{line}\n");
    }
    text
}

/// Returns the results.json of Gradescope's autograder.
fn gradescope(row: &Row) -> Value {
    let findings = &row.findings;
    let tests = decided(findings).map(|result| {
        json!({
            "name": shown_title(result),
            "score": result.points,
            "max_score": result.of,
            "status": if result.result == Verdict::Pass { "passed" } else { "failed" },
            "output_format": "text",
            "output": told(row, result.secret, &result.words()),
            "visibility": if result.secret { "hidden" } else { "visible" },
        })
    });
    json!({
        "score": findings.points,
        "output": said(row),
        "output_format": "text",
        "tests": tests.collect::<Vec<_>>(),
    })
}

/// Returns the results in the form of GitHub Classroom's autograding.
fn github(row: &Row) -> Value {
    let findings = &row.findings;
    let status = |passed: bool| if passed { "pass" } else { "fail" };
    let tests = decided(findings).map(|result| {
        json!({
            "name": shown_title(result),
            "status": status(result.result == Verdict::Pass),
            "score": result.points,
            "message": told(row, result.secret, &result.words()),
        })
    });
    json!({
        "version": 1,
        "status": status(findings.all_kept()),
        "max_score": findings.of,
        "tests": tests.collect::<Vec<_>>(),
    })
}

fn told(row: &Row, secret: bool, words: &str) -> String {
    match secret || row.problem.is_some() {
        true => String::new(),
        false => words.to_owned(),
    }
}

/// Returns what a terminal shows at the end.
pub fn summary(results: &Results, out: &Path) -> String {
    let rows = &results.rows;
    let mut text = String::new();
    for row in rows {
        let note = match &row.problem {
            Some(problem) => problem.lines().next().unwrap_or_default(),
            None => match row.state() {
                "does-not-build" => "does not build",
                _ => "",
            },
        };
        let line = format!("{}: {}  {note}", row.student, row.findings.score());
        text += &format!("{}\n", escape_control_chars(line.trim_end()));
    }
    for pair in &results.pairs {
        let ((one, other), percent) = (&pair.students, pair.shared * 100.0);
        let line = format!("similar: {one} and {other} share {percent:.0} % of the code");
        text += &format!("{}\n", escape_control_chars(&line));
    }
    for (student, change) in &results.changes {
        let line = format!("changed: {student}: {change}");
        text += &format!("{}\n", escape_control_chars(&line));
    }
    text + &format!(
        "{} students, on average {:.0} % of the points; see {}",
        rows.len(),
        results.average() * 100.0,
        out.join("index.html").display()
    )
}
