// SPDX-License-Identifier: MIT OR Apache-2.0

//! The result of one test.

use std::time::Duration;

use koru_klog::Complaint;

use crate::log::oops::Log;

/// The result of one test.
#[derive(Debug, Clone)]
pub struct TestResult {
    pub name: String,
    pub took: Duration,
    /// The reason of a failure, with the test's output and the kernel's log.
    pub failure: Option<Failure>,
    /// The reason why the test did not run: `#[ignore]`, or what the test itself printed.
    pub ignored: Option<String>,
}

impl TestResult {
    /// Returns the verdict in the form of Rust's test harness: `ok`, `FAILED`, or `ignored`
    /// with the reason.
    pub fn verdict(&self) -> String {
        match (&self.ignored, &self.failure) {
            (Some(why), _) if why.is_empty() => "ignored".into(),
            (Some(why), _) => format!("ignored, {why}"),
            (None, Some(_)) => "FAILED".into(),
            (None, None) => "ok".into(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Failure {
    pub cause: Cause,
    pub why: String,
    pub output: String,
    pub log: Log,
}

/// What made a test fail.
#[derive(Debug, Clone)]
pub enum Cause {
    /// The test itself found something wrong.
    Test,
    /// The test did not end in time, and was killed.
    Timeout,
    /// The test did not end in time, and could not be killed.
    Unkillable,
    /// The test passed, but the module left something behind.
    LeftBehind,
    /// The kernel complained.
    Complaint(Complaint),
    /// The kernel no longer answered.
    Hang,
    /// The guest ended.
    GuestDied,
}

/// Formats a failure: the reason, the test's own output, the kernel's log.
pub fn describe(result: &TestResult) -> String {
    let Some(failure) = &result.failure else {
        return String::new();
    };
    let mut text = failure.why.clone();
    if !failure.output.trim().is_empty() {
        text += &format!("\n-- output --\n{}", failure.output.trim_end());
    }
    if !failure.log.shown.trim().is_empty() {
        text += &format!("\n-- kernel log --\n{}", failure.log.shown.trim_end());
    }
    text
}
