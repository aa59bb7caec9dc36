// SPDX-License-Identifier: MIT OR Apache-2.0

//! The result of checking a requirement, from what the test and the kernel printed.

use std::time::Duration;

use koru_decode::Decoded;
use koru_klog::{Complaint, ComplaintKind, escape_control_chars};
use serde::Serialize;

use super::{
    limits::{cut_decoded, cut_lines, cut_text},
    requirements::Requirement,
    words::for_people,
};
use crate::{
    log::oops::Log,
    testing::result::{Cause, Failure, TestResult},
};

/// The exit status for a module that does not build.
pub const UNBUILT: u8 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    /// The kernel oopsed, panicked or hung.
    Crash,
    /// The check takes minutes, and nobody asked for it.
    Skipped,
    /// There is no module to check, because it does not build.
    #[serde(rename = "does-not-build")]
    Unbuilt,
    /// The user ended the command before the check.
    Interrupted,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Crash => "CRASH",
            Verdict::Skipped => "-",
            Verdict::Unbuilt => "NO BUILD",
            Verdict::Interrupted => "?",
        }
    }
}

/// The result of checking one requirement.
#[derive(Debug, Clone, Serialize)]
pub struct CheckResult {
    /// The text of the requirement in the contract.
    pub requirement: String,
    pub test: String,
    pub result: Verdict,
    /// What the test did when it failed, if the test could say so.
    pub done: Option<String>,
    /// What had to happen then.
    pub promised: Option<String>,
    /// What happened instead.
    pub seen: Option<String>,
    /// The test's own output, if the test did not pass.
    pub output: String,
    /// The kernel's log of that time, if the test did not pass.
    pub log: Vec<String>,
    /// The oopses and warnings in the log.
    pub decoded: Vec<Decoded>,
    /// The log with its oopses and warnings decoded.
    #[serde(skip)]
    pub shown: String,
    #[serde(serialize_with = "seconds")]
    pub seconds: Duration,
}

fn seconds<S: serde::Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((took.as_secs_f64() * 1000.0).round() / 1000.0)
}

impl CheckResult {
    pub fn of(requirement: &Requirement, result: &TestResult, limit: Duration) -> CheckResult {
        let kept = CheckResult {
            requirement: requirement.text.clone(),
            test: requirement.test.clone(),
            result: Verdict::Pass,
            done: None,
            promised: None,
            seen: None,
            output: String::new(),
            log: Vec::new(),
            decoded: Vec::new(),
            shown: String::new(),
            seconds: result.took,
        };
        let Some(failure) = &result.failure else {
            return kept;
        };
        let words = FailureMessage::of(&failure.output);
        let (result, seen) = judge(failure, &words, limit);
        // If the kernel complained, the test's own message is only a consequence.
        let by_test = matches!(failure.cause, Cause::Test);
        CheckResult {
            result,
            done: words.done.filter(|_| by_test),
            promised: words.promised.filter(|_| by_test),
            seen: Some(seen),
            output: cut_text(&escape_control_chars(failure.output.trim())),
            log: cut_lines(&failure.log.lines),
            decoded: cut_decoded(&failure.log.decoded),
            shown: cut_text(&failure.log.shown),
            ..kept
        }
    }

    /// Returns the result for a requirement that was not checked.
    pub fn skipped(requirement: &Requirement) -> CheckResult {
        let why = "skipped: it takes minutes (run it with --slow)";
        CheckResult::without_a_try(requirement, Verdict::Skipped, why, &Log::default())
    }

    /// Returns a result without running the test, for example because the module does not
    /// load.
    pub fn without_a_try(
        requirement: &Requirement,
        result: Verdict,
        why: &str,
        log: &Log,
    ) -> CheckResult {
        CheckResult {
            requirement: requirement.text.clone(),
            test: requirement.test.clone(),
            result,
            done: None,
            promised: None,
            seen: Some(why.to_owned()),
            output: String::new(),
            log: cut_lines(&log.lines),
            decoded: cut_decoded(&log.decoded),
            shown: cut_text(&log.shown),
            seconds: Duration::ZERO,
        }
    }

    /// Returns all that was seen, as lines.
    pub fn words(&self) -> String {
        self.words_within(usize::MAX)
    }

    /// Returns what was seen, as lines, with at most `most` characters of each part.
    pub fn words_within(&self, most: usize) -> String {
        let part = |head: &str, text: &Option<String>| {
            let text = text.as_ref()?;
            let mut short: String = text.chars().take(most).collect();
            if short.len() < text.len() {
                short += "...";
            }
            Some(format!("{head}{short}"))
        };
        let seen = if self.promised.is_some() {
            "seen: "
        } else {
            ""
        };
        let lines = [
            part("", &self.done),
            part("promised: ", &self.promised),
            part(seen, &self.seen),
        ];
        lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

fn judge(failure: &Failure, words: &FailureMessage, limit: Duration) -> (Verdict, String) {
    let limit = limit.as_secs();
    let place = location_suffix(&failure.log);
    match &failure.cause {
        Cause::Test => (Verdict::Fail, words.seen.clone()),
        Cause::LeftBehind => (Verdict::Fail, failure.why.clone()),
        Cause::Timeout => (
            Verdict::Fail,
            format!("it was not done after {limit} s, and was ended"),
        ),
        Cause::Unkillable => (
            Verdict::Crash,
            format!("hang: not done after {limit} s, and nothing could end it{place}"),
        ),
        Cause::Hang => (
            Verdict::Crash,
            format!("hang: the kernel gave no sign of life any more{place}"),
        ),
        Cause::GuestDied => (
            Verdict::Crash,
            format!(
                "the virtual machine ended: {}",
                escape_control_chars(&failure.why)
            ),
        ),
        Cause::Complaint(complaint) => complained(complaint, &place),
    }
}

/// Returns ` in FUNCTION (FILE:LINE)` if the place is known, otherwise nothing.
pub fn location_suffix(log: &Log) -> String {
    log.place().map_or(String::new(), |p| format!(" in {p}"))
}

/// Returns the verdict for a complaint of the kernel, and a description of the complaint.
pub fn complained(complaint: &Complaint, place: &str) -> (Verdict, String) {
    use ComplaintKind as K;
    let line = escape_control_chars(&complaint.line);
    match complaint.kind {
        K::Oops => (Verdict::Crash, format!("oops{place}: {line}")),
        K::Bug => (Verdict::Crash, format!("kernel BUG{place}: {line}")),
        K::Panic => (Verdict::Crash, format!("kernel panic{place}: {line}")),
        K::Lockup | K::RcuStall | K::HungTask => (Verdict::Crash, format!("hang{place}: {line}")),
        K::StillRegistered => (
            Verdict::Crash,
            format!("hang: the module can never be unloaded: {line}"),
        ),
        K::Sanitizer => (Verdict::Crash, format!("memory error{place}: {line}")),
        _ => (
            Verdict::Fail,
            format!("the kernel complained{place}: {line}"),
        ),
    }
}

/// The message of a test's panic: "DONE\npromised: X\nseen: Y", or anything else.
#[derive(Debug, Default, PartialEq, Eq)]
struct FailureMessage {
    done: Option<String>,
    promised: Option<String>,
    seen: String,
}

impl FailureMessage {
    fn of(output: &str) -> FailureMessage {
        let panics = panics(output);
        let words = |text: &str| cut_text(&escape_control_chars(&for_people(text)));
        let report = panics.iter().find_map(|text| {
            let (done, rest) = text.split_once("\npromised: ")?;
            let (promised, seen) = rest.split_once("\nseen: ")?;
            Some(FailureMessage {
                done: Some(words(done)),
                promised: Some(words(promised)),
                seen: words(seen),
            })
        });
        report.unwrap_or_else(|| FailureMessage {
            seen: match panics.first() {
                Some(text) => words(text),
                None => "the test failed without a message".to_owned(),
            },
            ..FailureMessage::default()
        })
    }
}

/// Returns the messages of the panics in a test's output.
fn panics(output: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for line in output.lines() {
        let begins = line.starts_with("thread '") && line.contains(" panicked at ");
        if begins {
            found.push(String::new());
            inside = true;
            continue;
        }
        let ends = line.starts_with("note: run with ")
            || line.starts_with("stack backtrace:")
            || (line.starts_with("test ") && line.contains(" ... "))
            || line == "failures:";
        if ends {
            inside = false;
        }
        if let Some(text) = found.last_mut().filter(|_| inside) {
            *text += line;
            text.push('\n');
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_in_a_panic() {
        let output = "\nrunning 1 test\n\nthread 'x' (7) panicked at tests/a.rs:3:5:\n\
                      read of 3 bytes\npromised: EINVAL\nseen: success (4)\n\
                      note: run with `RUST_BACKTRACE=1` environment variable\ntest x ... FAILED\n";
        let words = FailureMessage::of(output);
        assert_eq!(words.done.as_deref(), Some("read of 3 bytes"));
        assert_eq!(words.promised.as_deref(), Some("EINVAL"));
        assert_eq!(words.seen, "success (4)");
    }

    #[test]
    fn any_other_panic() {
        let output = "thread 'x' panicked at a.rs:1:1:\nthe module does not load: no\nFAILED\n\
                      test x ... FAILED\n";
        assert_eq!(
            FailureMessage::of(output).seen,
            "the module does not load: no\nFAILED"
        );
        assert_eq!(
            FailureMessage::of("").seen,
            "the test failed without a message"
        );
    }
}
