// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reports the results of `koru test`: for people, and as JUnit XML.

use std::{path::Path, time::Duration};

use koru_error::Result;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::testing::{
    coverage::CoverageReport,
    junit::write_junit_file,
    result::{TestResult, describe},
};
use crate::ui::{json, out};

/// The results of one kind of check, or of one test binary on one kernel.
pub struct Suite {
    pub name: String,
    pub results: Vec<TestResult>,
}

/// Prints the results and the times of the run's stages. Returns the exit status.
pub fn summary(
    suites: &[Suite],
    junit: &Path,
    took: Duration,
    stages: &[(String, Duration)],
) -> u8 {
    let all = || suites.iter().flat_map(|s| &s.results);
    let failed: Vec<(&Suite, &TestResult)> = suites
        .iter()
        .flat_map(|s| s.results.iter().map(move |r| (s, r)))
        .filter(|(_, r)| r.failure.is_some())
        .collect();
    for (suite, result) in &failed {
        out(&format!(
            "\n==== {}: {} ====\n{}",
            suite.name,
            result.name,
            describe(result)
        ));
    }
    let ignored = all().filter(|r| r.ignored.is_some()).count();
    let passed = all().count() - failed.len() - ignored;
    out(&format!("\nreport: {}", junit.display()));
    let stages: Vec<String> = stages
        .iter()
        .map(|(name, took)| format!("{name} {}", took.as_secs()))
        .collect();
    let stages = match stages.is_empty() {
        true => String::new(),
        false => format!(": {}", stages.join(", ")),
    };
    out(&format!("took {} s{stages}", took.as_secs()));
    let skipped = match ignored {
        0 => String::new(),
        n => format!(", {n} skipped"),
    };
    out(&format!(
        "{passed} passed, {} failed{skipped}",
        failed.len()
    ));
    if passed == 0 && failed.is_empty() {
        out("no tests match the filter");
        return 2;
    }
    u8::from(!failed.is_empty())
}

/// Prints the results as JSON, and returns the exit status.
pub fn print_json(suites: &[Suite], junit: &Path, coverage: Option<&CoverageReport>) -> u8 {
    let tests: Vec<_> = suites
        .iter()
        .flat_map(|suite| suite.results.iter().map(move |result| (suite, result)))
        .map(|(suite, result)| {
            let verdict = match (&result.ignored, &result.failure) {
                (Some(_), _) => "skipped",
                (None, Some(_)) => "fail",
                (None, None) => "pass",
            };
            serde_json::json!({
                "suite": suite.name,
                "test": result.name,
                "result": verdict,
                "why": result.failure.as_ref().map(|f| &f.why),
                "details": describe(result),
                "seconds": result.took.as_secs_f64(),
            })
        })
        .collect();
    let mut report = serde_json::json!({ "tests": tests, "junit": junit });
    if let Some(coverage) = coverage {
        report["coverage"] = coverage.json();
    }
    json(&report);
    let mut all = suites.iter().flat_map(|s| &s.results);
    match suites.iter().all(|s| s.results.is_empty()) {
        true => 2,
        false => u8::from(all.any(|r| r.failure.is_some())),
    }
}

pub fn write_junit(suites: &[Suite], path: &Path) -> Result<()> {
    let mut report = quick_junit::Report::new("koru");
    for suite in suites {
        let mut junit = TestSuite::new(suite.name.clone());
        for result in &suite.results {
            let status = match (&result.failure, &result.ignored) {
                (_, Some(why)) => {
                    let mut status = TestCaseStatus::skipped();
                    if !why.is_empty() {
                        status.set_message(why.clone());
                    }
                    status
                }
                (None, _) => TestCaseStatus::success(),
                (Some(failure), _) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(failure.why.clone());
                    status.set_description(describe(result));
                    status
                }
            };
            let mut case = TestCase::new(result.name.clone(), status);
            case.set_time(result.took);
            case.set_classname(suite.name.clone());
            junit.add_test_case(case);
        }
        report.add_test_suite(junit);
    }
    write_junit_file(&report, path)
}
