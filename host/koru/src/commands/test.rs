// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru test`: runs the tests of the module or project that the current folder belongs to.

use koru_error::Result;

use crate::{cli::TestArgs, context::Context, dependencies, testing::test_run::TestRun};

pub fn test(context: &Context, args: &TestArgs) -> Result<u8> {
    dependencies::install_missing(&context.home, false, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &*context.ui)?;
    context.ui.done();
    let run = TestRun::new(context, args);
    run.guest_of(&context.cwd)?;
    run.finish(&context.cwd.join("target/koru/junit.xml"))
}
