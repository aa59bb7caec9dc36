//! `koru test`: every check and test of the project, or of a module of the
//! user's own.

mod checks;
mod guest;
mod jobs;
mod libtest;
mod marked;
mod report;

use std::{path::Path, process::Command, sync::Mutex, time::Instant};

use koru_error::{Kind, Result};
use koru_kernels::Progress;
use report::{Suite, summary, write_junit};

use crate::{
    cli::{Check, TestArgs},
    commands::test_runner::{Cause, Failure, TestResult},
    context::Context,
    needs,
    oops::Log,
};

pub use guest::{TestBinary, guest_binaries};
pub use report::write_report;

/// What is common to all checks of one run.
struct Run<'a> {
    context: &'a Context,
    args: &'a TestArgs,
    suites: Mutex<Vec<Suite>>,
}

pub fn test(context: &Context, args: &TestArgs) -> Result<u8> {
    let begun = Instant::now();
    let ours = context.here.starts_with(&context.home.root);
    needs::get(&context.home, ours, args.yes, &*context.ui)?;
    needs::prebuild(&context.home, &*context.ui)?;
    context.ui.done();
    let run = Run {
        context,
        args,
        suites: Mutex::default(),
    };
    if ours {
        for check in [
            Check::Format,
            Check::Lint,
            Check::Unit,
            Check::Doc,
            Check::Misuse,
            Check::Guest,
        ] {
            if !args.only.is_empty() && !args.only.contains(&check) {
                continue;
            }
            match check {
                Check::Format => run.format()?,
                Check::Lint => run.lint()?,
                Check::Unit => run.unit()?,
                Check::Doc => run.doc()?,
                Check::Misuse => run.misuse()?,
                Check::Guest => run.guest_of(&context.home.root.join("tests"))?,
            }
        }
    } else {
        run.guest_of(&context.here)?;
    }
    context.ui.done();
    let suites = run.suites.into_inner().expect("no panic while held");
    let junit = match &args.junit {
        Some(path) => context.here.join(path),
        None if ours => context.home.root.join("target/koru/junit.xml"),
        None => context.here.join("target/koru/junit.xml"),
    };
    write_junit(&suites, &junit)?;
    Ok(summary(&suites, &junit, begun.elapsed()))
}

impl Run<'_> {
    fn root(&self) -> &Path {
        &self.context.home.root
    }

    fn wanted(&self, name: &str) -> bool {
        let filters = &self.args.filters;
        filters.is_empty() || filters.iter().any(|f| name.contains(f.as_str()))
    }

    fn add(&self, suite: &str, result: TestResult) {
        self.context.ui.done();
        println!(
            "{suite}: {} ... {} ({:.1} s)",
            result.name,
            result.verdict(),
            result.took.as_secs_f64()
        );
        let mut suites = self.suites.lock().expect("no panic while held");
        match suites.iter_mut().find(|s| s.name == suite) {
            Some(suite) => suite.results.push(result),
            None => suites.push(Suite {
                name: suite.to_owned(),
                results: vec![result],
            }),
        }
    }

    /// A check that is one command: it passes when the command succeeds.
    fn command(&self, suite: &str, name: &str, command: &mut Command) -> Result<()> {
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
}
