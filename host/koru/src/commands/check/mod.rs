// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru check`: looks for faults in a module, with one strength after the other.

mod calls;
mod faults;
mod reload;
mod report;
mod subject;

use std::time::{Duration, Instant};

use clap::ValueEnum;
use koru_error::{Kind, Result};
use koru_kbuild::Source;
use koru_kernels::KernelTree;

use crate::{
    cli::{CheckArgs, Strength},
    context::Context,
    dependencies,
    failure::show_decoded_error,
    testing::module_tests::{ModuleTests, passed},
    ui::json,
};
use report::{Outcome, Row};
use subject::Subject;

pub fn check(context: &Context, args: &CheckArgs) -> Result<u8> {
    let uses = context.uses(std::slice::from_ref(&args.kernel));
    dependencies::install_missing(&context.home, &uses, false, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &uses, &*context.ui)?;
    let subject = Subject::new(context, args)?;
    let until = Instant::now() + Duration::from_secs(60 * u64::from(args.minutes));
    let mut rows: Vec<Row> = Vec::new();
    for strength in Strength::value_variants() {
        if !args.only.is_empty() && !args.only.contains(strength) {
            continue;
        }
        let found = rows.iter().any(Row::is_found);
        let begun = Instant::now();
        let outcome = match () {
            () if found && !args.keep_going => Outcome::skipped("something was found before"),
            () if Instant::now() >= until => Outcome::skipped("no time is left (--minutes)"),
            () => subject.check(*strength, until)?,
        };
        context.ui.done();
        let row = Row::new(
            *strength,
            outcome,
            begun.elapsed(),
            subject.replay(*strength),
        );
        row.show(context);
        if let (Some(error), false) = (row.error(), context.json) {
            show_decoded_error(context, error.without_source());
        }
        rows.push(row);
    }
    let found = rows.iter().any(Row::is_found);
    if context.json {
        json(&serde_json::json!({
            "module": subject.title(),
            "kernel": subject.tree.release,
            "checks": rows,
        }));
    } else {
        report::show_end(context, &subject.title(), &rows);
    }
    Ok(u8::from(found))
}

impl Subject<'_> {
    /// Checks with one strength. An error is one of the check itself.
    fn check(&self, strength: Strength, until: Instant) -> Result<Outcome> {
        let debug = || match &self.debug {
            Some(tree) => Ok(tree),
            None => Err(Outcome::skipped(
                "there is no debug kernel: `koru kernel add debug`",
            )),
        };
        let done = match strength {
            Strength::Reload => reload::reload(self),
            Strength::Tests => self.test(&self.tree),
            Strength::Debug => match debug() {
                Ok(tree) => self.test(tree),
                Err(skipped) => return Ok(skipped),
            },
            Strength::Faults => match debug() {
                Ok(tree) => faults::faults(self, tree),
                Err(skipped) => return Ok(skipped),
            },
            Strength::Fuzz => match calls::calls(self, until) {
                Ok(outcome) => return Ok(outcome),
                Err(error) => Err(error),
            },
        };
        match done {
            Ok(note) if note.is_empty() => Ok(Outcome::skipped("the module has no tests")),
            Ok(note) => Ok(Outcome::Passed(note)),
            Err(error) if matches!(error.kind, Kind::Missing | Kind::Usage) => Err(error),
            Err(error) => Ok(Outcome::Found(error)),
        }
    }

    /// Runs the module's tests on a kernel, in a harsh guest. Returns a note, which is empty if there
    /// are none.
    fn test(&self, tree: &KernelTree) -> Result<String> {
        let tests = ModuleTests {
            context: self.context,
            kernel: &tree.release,
            rules: &self.args.rules,
        };
        let mut suites = match &self.named.source {
            Source::Crate(module) => {
                let modules = std::slice::from_ref(module);
                tests.run(&self.named, Some(module), modules)?
            }
            _ => tests.run(&self.named, None, &[])?,
        };
        // Tests of a workspace may belong to no module.
        if let (true, Source::Crate(module)) = (suites.is_empty(), &self.named.source) {
            suites = tests.run(&self.named, None, std::slice::from_ref(module))?;
        }
        Ok(match passed(&suites)? {
            0 => String::new(),
            1 => format!("1 test passed on {}", tree.release),
            number => format!("{number} tests passed on {}", tree.release),
        })
    }
}
