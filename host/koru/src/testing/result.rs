// SPDX-License-Identifier: MIT OR Apache-2.0

//! The result of one test.

use std::time::Duration;

use koru_klog::Complaint;

use crate::log::oops::Log;

/// What became of one test.
#[derive(Debug, Clone)]
pub struct TestResult {
    pub name: String,
    pub took: Duration,
    /// Why it failed, with its output and the kernel's log.
    pub failure: Option<Failure>,
    /// Why it was not run: `#[ignore]`, or by its own word.
    pub ignored: Option<String>,
}

impl TestResult {
    /// `ok`, `FAILED`, or that it was ignored and why, as Rust's test harness says it.
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
    /// It did not end in time, and was ended.
    Timeout,
    /// It did not end in time, and nothing could end it.
    Unkillable,
    /// The kernel said something.
    Complaint(Complaint),
    /// The kernel no longer answered.
    Hang,
    /// The guest ended.
    GuestDied,
}

/// A failure as text: why, the test's own output, the kernel's log.
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
