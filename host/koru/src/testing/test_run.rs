// SPDX-License-Identifier: MIT OR Apache-2.0

//! One run of tests, with what its stages share.

use std::{
    path::Path,
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use koru_error::{Kind, Result};
use koru_kernels::{KernelTree, Progress};

use crate::{
    cli::TestArgs,
    context::Context,
    log::oops::Log,
    testing::{
        coverage::CoverageRun,
        part::Part,
        report::{Suite, print_json, summary, write_junit},
        result::{Cause, Failure, TestResult},
    },
    ui::out,
};

/// What all tests of one run have in common.
pub struct TestRun<'a> {
    pub context: &'a Context,
    pub args: &'a TestArgs,
    /// Which of the tests run that need not run each time.
    pub part: Part,
    /// A kernel to test on in addition to those of the arguments.
    pub also: Option<KernelTree>,
    /// What records the executed code of modules.
    coverage: Option<CoverageRun>,
    /// Whether no result is shown when it comes.
    quiet: bool,
    suites: Mutex<Vec<Suite>>,
    begun: Instant,
    stages: Mutex<Vec<(String, Duration)>>,
}

impl<'a> TestRun<'a> {
    pub fn new(context: &'a Context, args: &'a TestArgs) -> TestRun<'a> {
        TestRun {
            context,
            args,
            part: Part::All,
            also: None,
            coverage: None,
            quiet: context.json,
            suites: Mutex::default(),
            begun: Instant::now(),
            stages: Mutex::default(),
        }
    }

    /// Records which code the tests execute, if the arguments ask for it.
    pub fn with_coverage(self) -> Result<TestRun<'a>> {
        let wanted = self.args.coverage;
        let coverage = wanted.then(|| CoverageRun::new(self.context)).transpose()?;
        Ok(TestRun { coverage, ..self })
    }

    /// Returns what records the code that a suite of tests executes.
    pub fn coverage_of<'s>(&'s self, suite: &'s str) -> Option<(&'s CoverageRun, &'s str)> {
        Some((self.coverage.as_ref()?, suite))
    }

    /// Shows no result when it comes.
    pub fn quiet(self) -> TestRun<'a> {
        TestRun {
            quiet: true,
            ..self
        }
    }

    /// Leaves out the tests that this part does not have.
    pub fn part(self, part: Part) -> TestRun<'a> {
        TestRun { part, ..self }
    }

    /// Ends the run, and returns its results.
    pub fn suites(self) -> Vec<Suite> {
        self.suites.into_inner().expect("no panic while held")
    }

    /// Runs a part of the run whose time is worth telling.
    pub fn stage<T>(&self, name: impl Into<String>, run: impl FnOnce() -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let result = run();
        let mut stages = self.stages.lock().expect("no panic while held");
        stages.push((name.into(), begun.elapsed()));
        result
    }

    pub fn root(&self) -> &Path {
        &self.context.home.root
    }

    pub fn wanted(&self, name: &str) -> bool {
        let filters = &self.args.filters;
        filters.is_empty() || filters.iter().any(|f| name.contains(f.as_str()))
    }

    pub fn add(&self, suite: &str, result: TestResult) {
        self.context.ui.done();
        if !self.quiet {
            out(&format!(
                "{suite}: {} ... {} ({:.1} s)",
                result.name,
                result.verdict(),
                result.took.as_secs_f64()
            ));
        }
        let mut suites = self.suites.lock().expect("no panic while held");
        match suites.iter_mut().find(|s| s.name == suite) {
            Some(suite) => suite.results.push(result),
            None => suites.push(Suite {
                name: suite.to_owned(),
                results: vec![result],
            }),
        }
    }

    /// Runs a check that is one command, and passes if the command succeeds.
    pub fn command(&self, suite: &str, name: &str, command: &mut Command) -> Result<()> {
        if !self.wanted(name) {
            return Ok(());
        }
        self.context.ui.status(&format!("{suite}: {name}"));
        let begun = Instant::now();
        let failure = match koru_kernels::run(command, name) {
            Ok(_) => None,
            Err(e) if e.kind == Kind::Missing => return Err(e),
            Err(e) => Some(Failure {
                cause: Cause::Test,
                why: e.message,
                output: e.output.unwrap_or_default(),
                log: Log::default(),
            }),
        };
        let result = TestResult {
            name: name.to_owned(),
            took: begun.elapsed(),
            failure,
            ignored: None,
        };
        self.add(suite, result);
        Ok(())
    }

    /// Reports the results, also to the JUnit file `junit` unless the arguments name another
    /// one. Returns the exit status.
    pub fn finish(self, junit: &Path) -> Result<u8> {
        self.context.ui.done();
        let suites = self.suites.into_inner().expect("no panic while held");
        let junit = match &self.args.junit {
            Some(path) => self.context.cwd.join(path),
            None => junit.to_owned(),
        };
        write_junit(&suites, &junit)?;
        let folder = junit.parent().unwrap_or(Path::new(".")).join("coverage");
        let coverage = self.coverage.map(|c| c.finish(self.context, &folder));
        let coverage = coverage.transpose()?;
        if self.context.json {
            return Ok(print_json(&suites, &junit, coverage.as_ref()));
        }
        if let Some(coverage) = coverage {
            out(&format!("\n{}", coverage.text()));
        }
        let stages = self.stages.into_inner().expect("no panic while held");
        Ok(summary(&suites, &junit, self.begun.elapsed(), &stages))
    }
}
