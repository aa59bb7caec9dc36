// SPDX-License-Identifier: MIT OR Apache-2.0

//! The verdict on one module and one kernel, and how it is shown.

use std::time::Duration;

use koru_error::{Error, Kind};
use koru_kernels::KernelTree;
use serde::Serialize;

use crate::{
    context::Context,
    failure::ErrorObject,
    log::oops::Log,
    testing::{
        report::Suite,
        result::{Cause, Failure, TestResult},
    },
    ui::out,
};

/// A step that a module has to pass.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    Build,
    Load,
    Tests,
}

impl Step {
    /// Returns what is said of a module that does not pass.
    fn refusal(self) -> &'static str {
        match self {
            Step::Build => "does not build",
            Step::Load => "builds, but fails when it is loaded and unloaded",
            Step::Tests => "loads, but its tests fail",
        }
    }
}

/// What is known about one module on one kernel.
#[derive(Serialize)]
pub struct Verdict {
    pub module: String,
    kernel: String,
    /// Whether the module passes all steps, unless it is skipped.
    pub go: Option<bool>,
    /// The step that the module does not pass.
    failed: Option<Step>,
    /// Why it does not pass, on one line.
    why: Option<String>,
    error: Option<ErrorObject>,
    /// Why the module does not support this kernel, if its Cargo.toml says so.
    unsupported: Option<String>,
    /// The number of tests that passed.
    tests: usize,
    seconds: f64,
}

impl Verdict {
    /// Returns the verdict on a module: how many tests passed, or the step that failed.
    pub fn of(
        module: &str,
        tree: &KernelTree,
        done: &Result<usize, (Step, Error)>,
        unsupported: Option<String>,
        took: Duration,
    ) -> Verdict {
        let failed = done.as_ref().err();
        Verdict {
            module: module.to_owned(),
            kernel: tree.release.clone(),
            go: Some(failed.is_none()),
            failed: failed.map(|(step, _)| *step),
            why: failed.map(|(_, error)| reason(error)),
            error: failed.map(|(_, error)| ErrorObject::from(error)),
            unsupported,
            tests: *done.as_ref().unwrap_or(&0),
            seconds: took.as_secs_f64(),
        }
    }

    /// Returns the verdict on a module that is skipped because it does not support the kernel.
    pub fn skipped(module: &str, tree: &KernelTree, unsupported: String) -> Verdict {
        Verdict {
            module: module.to_owned(),
            kernel: tree.release.clone(),
            go: None,
            failed: None,
            why: None,
            error: None,
            unsupported: Some(unsupported),
            tests: 0,
            seconds: 0.0,
        }
    }

    /// Returns the verdict in a few words.
    fn words(&self) -> String {
        let unsupported = self.unsupported.as_deref();
        if let (None, Some(unsupported)) = (self.go, unsupported) {
            return format!("not supported: {unsupported}");
        }
        let words = match (self.failed, self.tests) {
            (Some(step), _) => {
                let why = self.why.as_deref().unwrap_or_default();
                format!("{}: {why}", step.refusal())
            }
            (None, 0) => "builds, loads and unloads; it has no tests".into(),
            (None, 1) => "builds, loads and unloads; 1 test passed".into(),
            (None, n) => format!("builds, loads and unloads; {n} tests passed"),
        };
        match unsupported {
            Some(unsupported) => format!("{words}; {unsupported}"),
            None => words,
        }
    }

    /// Shows the verdict on a line, with the module's name in `width` columns.
    pub fn show(&self, context: &Context, width: usize) {
        if !context.json {
            let go = match self.go {
                Some(true) => "go",
                Some(false) => "no-go",
                None => "skip",
            };
            let Verdict { module, kernel, .. } = self;
            out(&format!(
                "{go:<5}  {module:<width$}  {kernel}  {}",
                self.words()
            ));
        }
    }
}

/// Returns the reason of a failure on one line: an explanation of the compiler's errors, or the
/// first error, or what koru says.
fn reason(error: &Error) -> String {
    if let Some(hint) = error.hints().first() {
        return hint.message.clone();
    }
    let output = error.output.as_deref().unwrap_or_default();
    let compilers = output.lines().find_map(|line| line.split_once(" error: "));
    let why = match compilers {
        Some((_, first)) if error.kind != Kind::System => first,
        _ => &error.message,
    };
    why.lines().next().unwrap_or_default().to_owned()
}

/// Returns the verdicts as a JUnit report has them: a suite for each kernel.
pub fn suites(verdicts: &[Verdict]) -> Vec<Suite> {
    let mut suites: Vec<Suite> = Vec::new();
    for verdict in verdicts {
        let name = format!("preflight on {}", verdict.kernel);
        let failure = verdict.error.as_ref().map(|error| Failure {
            cause: Cause::Test,
            why: verdict.words(),
            output: error.output.clone().unwrap_or_default(),
            log: Log::default(),
        });
        let result = TestResult {
            name: verdict.module.clone(),
            took: Duration::from_secs_f64(verdict.seconds),
            failure,
            ignored: verdict.go.is_none().then(|| verdict.words()),
        };
        match suites.last_mut().filter(|suite| suite.name == name) {
            Some(suite) => suite.results.push(result),
            None => suites.push(Suite {
                name,
                results: vec![result],
            }),
        }
    }
    suites
}
