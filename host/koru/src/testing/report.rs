// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reports the results of `koru test`: for people, and as JUnit XML.

use std::{path::Path, time::Duration};

use koru_error::Result;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::testing::{
    junit::write_junit_file,
    result::{TestResult, describe},
};

/// The results of one kind of check, or of one test binary on one kernel.
pub struct Suite {
    pub name: String,
    pub results: Vec<TestResult>,
}

pub fn summary(suites: &[Suite], junit: &Path, took: Duration) -> u8 {
    let all = || suites.iter().flat_map(|s| &s.results);
    let failed: Vec<(&Suite, &TestResult)> = suites
        .iter()
        .flat_map(|s| s.results.iter().map(move |r| (s, r)))
        .filter(|(_, r)| r.failure.is_some())
        .collect();
    for (suite, result) in &failed {
        println!(
            "\n==== {}: {} ====\n{}",
            suite.name,
            result.name,
            describe(result)
        );
    }
    let ignored = all().filter(|r| r.ignored.is_some()).count();
    let passed = all().count() - failed.len() - ignored;
    println!("\nreport: {}", junit.display());
    println!("took {} s", took.as_secs());
    let skipped = match ignored {
        0 => String::new(),
        n => format!(", {n} skipped"),
    };
    println!("{passed} passed, {} failed{skipped}", failed.len());
    if passed == 0 && failed.is_empty() {
        println!("no tests match the filter");
        return 2;
    }
    u8::from(!failed.is_empty())
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
