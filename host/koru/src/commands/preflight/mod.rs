// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru preflight`: tells whether modules will work on kernels before a machine runs them.

mod steps;
mod verdict;

use std::time::{Duration, Instant};

use koru_error::{Error, Kind, Result};
use koru_kbuild::Ko;
use koru_kernels::{KernelTree, Progress};

use crate::{
    cli::{KernelChoice, PreflightArgs},
    context::Context,
    dependencies,
    failure::show_error,
    named::{Named, named_sources},
    testing::report::write_junit,
    ui::json,
};
use steps::Check;
use verdict::{Step, Verdict, suites};

pub fn preflight(context: &Context, args: &PreflightArgs) -> Result<u8> {
    let kernels: Vec<_> = args.kernels.iter().map(KernelChoice::named).collect();
    let uses = context.uses(&kernels);
    dependencies::install_missing(&context.home, &uses, false, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &uses, &*context.ui)?;
    let trees: Vec<KernelTree> = kernels
        .iter()
        .map(|kernel| context.tree(kernel))
        .collect::<Result<_>>()?;
    let sources = named_sources(context, &args.modules)?;
    let mut verdicts = Vec::new();
    for tree in &trees {
        verdicts.extend(on_kernel(context, args, tree, &sources)?);
    }
    if let Some(junit) = &args.junit {
        write_junit(&suites(&verdicts), &context.cwd.join(junit))?;
    }
    if context.json {
        json(&verdicts);
    }
    if verdicts.iter().all(|v| v.go.is_none()) {
        let message = "none of the modules supports such a kernel";
        return Err(Error::new(Kind::Usage, "checking modules", message)
            .help("a module that is named is checked all the same: `koru preflight MODULE`"));
    }
    Ok(u8::from(verdicts.iter().any(|v| v.go == Some(false))))
}

/// What is known of one of the user's words after the builds: a module, or why there is none.
struct Subject<'a> {
    named: &'a Named,
    title: String,
    built: Built,
    /// How long the build took.
    took: Duration,
}

enum Built {
    Ko { ko: Ko, is_one_of_many: bool },
    Failed(Error),
    Skipped(String),
}

/// Checks modules on one kernel.
fn on_kernel(
    context: &Context,
    args: &PreflightArgs,
    tree: &KernelTree,
    sources: &[Named],
) -> Result<Vec<Verdict>> {
    let mut check = Check::new(context, args, tree);
    // Which modules there are is known after the builds, and so is what tests can load.
    let mut subjects = Vec::new();
    for named in sources {
        let title = named.title(&context.cwd);
        let begun = Instant::now();
        let mut add = |title: String, built: Built| {
            subjects.push(Subject {
                named,
                title,
                built,
                took: begun.elapsed(),
            });
        };
        if let Some(refusal) = named.refusal(tree).filter(|_| !named.is_by_name) {
            add(title, Built::Skipped(refusal));
            continue;
        }
        context
            .ui
            .status(&format!("building {title} for {}", tree.release));
        match check.build(named) {
            // Nothing can be said about the module.
            Err(error) if error.kind == Kind::Missing => return Err(error),
            Err(error) => add(title, Built::Failed(error)),
            Ok(kos) => {
                let is_one_of_many = kos.len() > 1;
                for ko in kos {
                    add(ko.name.clone(), Built::Ko { ko, is_one_of_many });
                }
            }
        }
    }
    let width = subjects.iter().map(|s| s.title.len()).max().unwrap_or(0);
    let mut verdicts = Vec::new();
    for subject in subjects {
        let Subject {
            named, title, took, ..
        } = subject;
        context.ui.status(&format!("{title} on {}", tree.release));
        let begun = Instant::now();
        let done = match subject.built {
            Built::Skipped(refusal) => {
                context.ui.done();
                let verdict = Verdict::skipped(&title, tree, refusal);
                verdict.show(context, width);
                verdicts.push(verdict);
                continue;
            }
            Built::Failed(error) => Err((Step::Build, error)),
            Built::Ko { ko, is_one_of_many } => check.load_and_test(named, &ko, is_one_of_many),
        };
        context.ui.done();
        if let Err((_, error)) = &done {
            if error.kind == Kind::Missing {
                return done.map(|_| verdicts).map_err(|(_, error)| error);
            }
        }
        let verdict = Verdict::of(
            &title,
            tree,
            &done,
            named.refusal(tree),
            took + begun.elapsed(),
        );
        verdict.show(context, width);
        verdicts.push(verdict);
        if let (Err((_, error)), false) = (done, context.json) {
            show_error(context, error);
        }
    }
    Ok(verdicts)
}
