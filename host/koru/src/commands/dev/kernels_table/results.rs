// SPDX-License-Identifier: MIT OR Apache-2.0

//! The results of the guest tests on each kernel: read from JUnit reports, and kept in a file.

use std::{collections::BTreeMap, fs, path::PathBuf};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{compare_releases, date_of};
use quick_junit::{Report, TestCase, TestCaseStatus};
use serde::{Deserialize, Serialize};

const HEAD: &str = "# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The results of the guest tests on each kernel. `koru dev kernels-table REPORT...` writes this
# file from JUnit reports, and then the table in kernels.md.

";

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Results {
    #[serde(default)]
    pub kernel: Vec<TestedKernel>,
}

/// What the tests found on one kernel.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TestedKernel {
    pub release: String,
    /// When the tests ran.
    pub date: String,
    /// What was tested.
    pub commit: String,
    /// The results by the name of a file of tests.
    pub suites: BTreeMap<String, TestedSuite>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TestedSuite {
    pub passed: usize,
    /// The tests that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// The reasons for which tests were skipped, and the numbers of these tests.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, usize>,
}

impl Results {
    pub fn parse(text: &str) -> Result<Results> {
        toml::from_str(text).map_err(|e| {
            Error::new(Kind::System, "reading docs/kernels.toml", e.to_string())
                .help("`koru dev kernels-table REPORT...` writes this file")
        })
    }

    /// Returns the text of the file.
    pub fn text(&self) -> Result<String> {
        let attempted = "writing docs/kernels.toml";
        let text = toml::to_string_pretty(self)
            .map_err(|e| Error::new(Kind::System, attempted, e.to_string()))?;
        Ok(format!("{HEAD}{text}"))
    }

    /// Puts new results in the place of those of the same kernels.
    pub fn replace(&mut self, new: Vec<TestedKernel>) {
        let is_new = |kernel: &TestedKernel| new.iter().any(|n| n.release == kernel.release);
        self.kernel.retain(|kernel| !is_new(kernel));
        self.kernel.extend(new);
        self.kernel
            .sort_by(|a, b| compare_releases(&a.release, &b.release));
    }
}

/// Returns the results in these reports, by kernel. A kernel may be in several of them.
pub(super) fn of_reports(paths: &[PathBuf], commit: &str) -> Result<Vec<TestedKernel>> {
    let commit: String = commit.chars().take(12).collect();
    let mut kernels: BTreeMap<String, TestedKernel> = BTreeMap::new();
    for path in paths {
        let attempted = format!("reading {}", path.display());
        let fail = |message: String| Error::new(Kind::Usage, attempted.clone(), message);
        let text = fs::read_to_string(path).path_context("reading", path)?;
        let time = fs::metadata(path).and_then(|meta| meta.modified());
        let date = date_of(time.path_context("reading", path)?);
        let report = Report::deserialize_from_str(&text)
            .map_err(|e| fail(format!("it is no JUnit report: {e}")))?;
        let found = suites(&report);
        if found.is_empty() {
            return Err(fail("it has no results of guest tests".into())
                .help("`koru dev test --only guest --junit FILE` writes such a report"));
        }
        for (suite, release, result) in found {
            let kernel = kernels
                .entry(release.clone())
                .or_insert_with(|| TestedKernel {
                    release,
                    date: date.clone(),
                    commit: commit.clone(),
                    suites: BTreeMap::new(),
                });
            kernel.date = kernel.date.clone().max(date.clone());
            kernel.suites.insert(suite, result);
        }
    }
    Ok(kernels.into_values().collect())
}

/// Returns the guest tests of a report: the name of each suite, the kernel's release, the results.
fn suites(report: &Report) -> Vec<(String, String, TestedSuite)> {
    let suites = report.test_suites.iter();
    let found = suites.filter_map(|suite| {
        let (name, release) = suite.name.as_str().split_once(" on ")?;
        Some((name.into(), release.into(), summary(&suite.test_cases)))
    });
    found.collect()
}

fn summary(tests: &[TestCase]) -> TestedSuite {
    let mut summary = TestedSuite::default();
    for test in tests {
        match &test.status {
            TestCaseStatus::Success { .. } => summary.passed += 1,
            TestCaseStatus::NonSuccess { .. } => summary.failed.push(test.name.as_str().into()),
            TestCaseStatus::Skipped { message, .. } => {
                let why = message.as_ref().map(|m| m.as_str());
                let why = why.unwrap_or("no reason is given");
                *summary.skipped.entry(why.into()).or_default() += 1;
            }
        }
    }
    summary.failed.sort();
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report as `koru test` writes it.
    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="koru" tests="4" failures="1" errors="0">
    <testsuite name="hello on 6.1.0-56-cloud-amd64" tests="2" disabled="0" errors="0" failures="0">
        <testcase name="a" classname="hello on 6.1.0-56-cloud-amd64" time="0.1"></testcase>
        <testcase name="b" classname="hello on 6.1.0-56-cloud-amd64" time="0.1">
            <skipped message="no KASAN"/>
        </testcase>
    </testsuite>
    <testsuite name="hello on 7.3" tests="1" disabled="0" errors="0" failures="1">
        <testcase name="c" classname="hello on 7.3" time="0.1">
            <failure message="the test failed">text</failure>
        </testcase>
    </testsuite>
    <testsuite name="lint" tests="1" disabled="0" errors="0" failures="0">
        <testcase name="shellcheck" classname="lint" time="0.1"></testcase>
    </testsuite>
</testsuites>"#;

    fn read(text: &str) -> Result<Vec<TestedKernel>> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), text).expect("written");
        of_reports(&[file.path().to_owned()], "0123456789abcdef")
    }

    #[test]
    fn reports_are_read_by_kernel() {
        let kernels = read(REPORT).expect("a report");
        let releases: Vec<&str> = kernels.iter().map(|k| &*k.release).collect();
        assert_eq!(releases, ["6.1.0-56-cloud-amd64", "7.3"]);
        assert_eq!(kernels[0].commit, "0123456789ab");
        let hello = &kernels[0].suites["hello"];
        assert_eq!(hello.passed, 1);
        assert_eq!(hello.skipped["no KASAN"], 1);
        assert_eq!(kernels[1].suites["hello"].failed, ["c"]);
    }

    #[test]
    fn new_results_replace_a_kernels_old_ones() {
        let mut results = Results::default();
        results.replace(read(REPORT).expect("a report"));
        let again = REPORT.replace("hello on 7.3", "jiffies on 7.3");
        results.replace(read(&again).expect("a report"));
        assert_eq!(results.kernel.len(), 2);
        let suites = &results.kernel[1].suites;
        assert_eq!(suites.keys().collect::<Vec<_>>(), ["jiffies"]);
        let text = results.text().expect("TOML");
        assert_eq!(Results::parse(&text).expect("TOML"), results);
    }

    #[test]
    fn other_files_are_refused() {
        assert!(read("no report").is_err());
        let without = REPORT.replace(" on ", " at ");
        let error = read(&without).expect_err("it has no guest tests");
        assert!(error.message.contains("no results of guest tests"));
    }
}
