// SPDX-License-Identifier: MIT OR Apache-2.0

//! Pages for a class and for each student, which need nothing but themselves.

use std::{collections::BTreeMap, fmt::Write};

use koru_judge::{Contract, Verdict};

use super::{
    results::Results,
    row::{Row, file_name},
};
use crate::{
    judging::{
        findings::PromiseResult,
        report::{is_told, short, shown_title},
    },
    markup::escape,
};

/// How the pages look, also on a phone and in the dark.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem}\
.scroll{overflow-x:auto}\
table{border-collapse:collapse;width:100%}\
th,td{border-bottom:1px solid #8888;padding:.3rem .6rem;text-align:left;vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
pre{overflow-x:auto;background:#8882;padding:.6rem}\
.pass{color:#2a7f3f}.fail,.crash{color:#c33;font-weight:bold}.not-tried,.undecided{color:#888}\
.bar{background:#47a;height:1em;min-width:1px}";

fn page(title: &str, body: &str) -> String {
    // No script runs and nothing is loaded, whatever a log says.
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{}</title><style>{STYLE}</style></head>\n<body>\n{body}</body></html>\n",
        escape(title)
    )
}

/// Returns the page of a student, without what is secret.
pub fn student(row: &Row) -> String {
    let findings = &row.findings;
    let mut body = format!(
        "<h1>{}</h1>\n<p>{}: <b>{}</b>, on Linux {}</p>\n",
        escape(&row.student),
        escape(&findings.title),
        findings.score(),
        escape(&findings.kernel)
    );
    if let Some(problem) = &row.problem {
        _ = write!(
            body,
            "<h2>It was not judged</h2>\n<pre>{}</pre>\n",
            escape(problem)
        );
    }
    if let Some(output) = &findings.build_output {
        _ = write!(
            body,
            "<h2>It does not build</h2>\n<pre>{}</pre>\n",
            escape(output)
        );
    }
    body += "<div class=\"scroll\"><table><tr><th>Promise</th><th>Result</th>\
             <th class=\"n\">Points</th></tr>\n";
    let mut group = None;
    for result in &findings.promises {
        if result.group != group {
            let title = result.group.as_deref().unwrap_or_default();
            _ = writeln!(body, "<tr><th colspan=\"3\">{}</th></tr>", escape(title));
            group = result.group.clone();
        }
        _ = writeln!(
            body,
            "<tr><td>{}</td><td class=\"{}\">{}</td><td class=\"n\">{} of {}</td></tr>",
            escape(shown_title(result)),
            result.result.name(),
            result.result.name(),
            short(result.points),
            short(result.of)
        );
    }
    body += "</table></div>\n";
    for result in findings.promises.iter().filter(|r| is_told(r)) {
        _ = write!(
            body,
            "<h2>{}</h2>\n<pre>{}</pre>\n",
            escape(&result.title),
            escape(&result.words())
        );
        if !result.shown_log.trim().is_empty() {
            _ = writeln!(
                body,
                "<details><summary>The kernel's log meanwhile</summary><pre>{}</pre></details>",
                escape(&result.shown_log)
            );
        }
    }
    page(&row.student, &body)
}

/// Returns the page of the class, for the teacher.
pub fn class(contract: &Contract, results: &Results) -> String {
    let rows = &results.rows;
    let mut body = format!(
        "<h1>{}</h1>\n<p>{} students, on average {:.0} % of the points</p>\n",
        escape(&contract.title),
        rows.len(),
        results.average() * 100.0
    );
    body += "<h2>Distribution of points</h2>\n<table>\n";
    for (tenth, count) in distribution(rows).iter().enumerate() {
        let width = 100 * count / rows.len().max(1);
        _ = writeln!(
            body,
            "<tr><td class=\"n\">{}0 %</td><td style=\"width:80%\"><div class=\"bar\" \
             style=\"width:{width}%\"></div></td><td class=\"n\">{count}</td></tr>",
            tenth
        );
    }
    body += "</table>\n<h2>Promises most often broken</h2>\n<div class=\"scroll\"><table>\
             <tr><th>Promise</th><th class=\"n\">Broken</th><th>The most common cause</th></tr>\n";
    for (title, count, cause) in broken(rows) {
        _ = writeln!(
            body,
            "<tr><td>{}</td><td class=\"n\">{count}</td><td>{}</td></tr>",
            escape(&title),
            escape(&cause)
        );
    }
    body += "</table></div>\n<h2>Students</h2>\n<div class=\"scroll\"><table><tr><th>Student</th>\
             <th class=\"n\">Points</th><th>State</th><th class=\"n\">Seconds</th></tr>\n";
    for row in rows {
        _ = writeln!(
            body,
            "<tr><td><a href=\"students/{}.html\">{}</a></td><td class=\"n\">{}</td><td>{}</td>\
             <td class=\"n\">{}</td></tr>",
            escape(&file_name(&row.student)),
            escape(&row.student),
            short(row.findings.points),
            row.state(),
            short(row.seconds)
        );
    }
    body += "</table></div>\n";
    if rows.iter().any(|row| !row.findings.marks.is_empty()) {
        body += "<h2>Modules to look at</h2>\n<p>These use functions that few labs need. That is a \
                 hint and no verdict.</p>\n<table>\n";
        for row in rows.iter().filter(|row| !row.findings.marks.is_empty()) {
            let (student, marks) = (escape(&row.student), row.findings.marks.join(", "));
            _ = writeln!(
                body,
                "<tr><td>{student}</td><td>{}</td></tr>",
                escape(&marks)
            );
        }
        body += "</table>\n";
    }
    if !results.pairs.is_empty() {
        body += "<h2>Similar work</h2>\n<p>These share much code. That is a hint and no verdict: \
                 look at both.</p>\n<table>\n";
        for pair in &results.pairs {
            let (one, other) = (escape(&pair.students.0), escape(&pair.students.1));
            let percent = pair.shared * 100.0;
            _ = writeln!(
                body,
                "<tr><td>{one}</td><td>{other}</td><td class=\"n\">{percent:.0} %</td></tr>"
            );
        }
        body += "</table>\n";
    }
    if !results.changes.is_empty() {
        body += "<h2>What has changed since the last run</h2>\n<table>\n";
        for (student, change) in &results.changes {
            let (student, change) = (escape(student), escape(change));
            _ = writeln!(body, "<tr><td>{student}</td><td>{change}</td></tr>");
        }
        body += "</table>\n";
    }
    page(&contract.title, &body)
}

/// Returns how many students have which tenth of the points; the last one is for all points.
fn distribution(rows: &[Row]) -> [usize; 11] {
    let mut counts = [0; 11];
    for row in rows {
        let findings = &row.findings;
        let part = match findings.of {
            0.0 => 0.0,
            of => findings.points / of,
        };
        counts[(part * 10.0) as usize % 11] += 1;
    }
    counts
}

/// Returns the promises that students have broken, with how many and the most common cause.
fn broken(rows: &[Row]) -> Vec<(String, usize, String)> {
    let mut found: BTreeMap<String, (usize, BTreeMap<String, usize>)> = BTreeMap::new();
    let all = rows.iter().flat_map(|row| &row.findings.promises);
    let is_broken = |r: &&PromiseResult| matches!(r.result, Verdict::Fail | Verdict::Crash);
    for result in all.filter(is_broken) {
        let (count, causes) = found.entry(result.title.clone()).or_default();
        *count += 1;
        let seen = result.seen.as_deref().unwrap_or_default();
        // Numbers differ from student to student.
        let cause: String = seen
            .chars()
            .filter(|c| !c.is_ascii_digit())
            .take(160)
            .collect();
        *causes.entry(cause).or_default() += 1;
    }
    let mut list: Vec<_> = found
        .into_iter()
        .map(|(title, (count, causes))| {
            let most = causes.into_iter().max_by_key(|(_, n)| *n);
            (
                title,
                count,
                most.map(|(cause, _)| cause).unwrap_or_default(),
            )
        })
        .collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    list
}
