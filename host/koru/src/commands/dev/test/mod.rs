// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru dev test`: runs every check and test of Koru itself.

mod also;
mod checks;
mod libtest;
mod marked;

use koru_error::Result;

use crate::{
    cli::{Check, DevTestArgs},
    context::Context,
    dependencies::{self, Uses},
    testing::{guest::Chosen, part::Part, test_run::TestRun},
};

/// The stages, in their order.
const STAGES: [Check; 6] = [
    Check::Format,
    Check::Lint,
    Check::Unit,
    Check::Doc,
    Check::Misuse,
    Check::Guest,
];

pub fn test(context: &Context, args: &DevTestArgs) -> Result<u8> {
    let part = args.part.map_or_else(Part::from_environment, Ok)?;
    if part != Part::All {
        let text = format!("of the tests that take turns, this run has {part}");
        context.ui.say(&text);
    }
    let mut run = TestRun::new(context, &args.test)
        .part(part)
        .with_coverage()?;
    run.stage("set-up", || {
        let mut uses = context.uses(&args.test.kernel_choices());
        // Tests of the program use the kernels of set-up.
        if args.only != [Check::Guest] {
            uses = Uses::of_set_up(uses.trees);
        }
        let yes = args.test.yes;
        dependencies::install_missing(&context.home, &uses, true, yes, &*context.ui)?;
        dependencies::prebuild(&context.home, &uses, &*context.ui)
    })?;
    if !args.also_one_of.is_empty() {
        run.also = also::chosen(context, &args.also_one_of, args.commit.as_deref())?;
    }
    context.ui.done();
    for stage in STAGES {
        if !args.only.is_empty() && !args.only.contains(&stage) {
            continue;
        }
        let name = format!("{stage:?}").to_lowercase();
        run.stage(name, || match stage {
            Check::Format => run.format(),
            Check::Lint => run.lint(),
            Check::Unit => run.unit(),
            Check::Doc => run.doc(),
            Check::Misuse => run.misuse(),
            Check::Guest => run.guest_of(&context.home.root.join("tests"), &Chosen::Every),
        })?;
    }
    run.finish(&context.home.root.join("target/koru/junit.xml"))
}
