// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru test`: runs every check and test of the project, or those of a module of the user's
//! own.

mod checks;
mod guest;
mod jobs;
mod libtest;
mod marked;
mod report;
mod stage;

use std::{sync::Mutex, time::Instant};

use koru_error::Result;

use crate::{
    cli::{Check, TestArgs},
    context::Context,
    dependencies,
};
use report::{summary, write_junit};
use stage::Run;

pub fn test(context: &Context, args: &TestArgs) -> Result<u8> {
    let begun = Instant::now();
    let ours = context.cwd.starts_with(&context.home.root);
    dependencies::install_missing(&context.home, ours, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &*context.ui)?;
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
        run.guest_of(&context.cwd)?;
    }
    context.ui.done();
    let suites = run.suites.into_inner().expect("no panic while held");
    let junit = match &args.junit {
        Some(path) => context.cwd.join(path),
        None if ours => context.home.root.join("target/koru/junit.xml"),
        None => context.cwd.join("target/koru/junit.xml"),
    };
    write_junit(&suites, &junit)?;
    Ok(summary(&suites, &junit, begun.elapsed()))
}
