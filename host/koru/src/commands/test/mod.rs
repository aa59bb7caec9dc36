// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru test`: runs the tests of the module or project that the current folder belongs to.

mod by_promises;

use koru_error::Result;
use koru_kbuild::{Source, usable_target_dir};

use crate::{
    cli::TestArgs,
    context::Context,
    dependencies,
    testing::{guest::Chosen, test_run::TestRun},
};

pub fn test(context: &Context, args: &TestArgs) -> Result<u8> {
    let uses = context.uses(&args.kernel_choices());
    dependencies::install_missing(&context.home, &uses, false, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &uses, &*context.ui)?;
    context.ui.done();
    if let Some(contract) = by_promises::contract_of(&context.cwd) {
        return by_promises::test(context, args, &contract);
    }
    let run = TestRun::new(context, args).with_coverage()?;
    // A folder with a crate may have no module at all, but tests.
    match context.sources(&[]) {
        Ok(sources) if !matches!(sources.first(), Some(Source::Crate(_))) => {
            run.programs_of(&context.cwd, &sources)?;
            // Such a folder has no place for output.
            let home = sources.first().map(|s| s.home(&context.cache));
            let home = home.transpose()?.unwrap_or_default();
            run.finish(&home.join("junit.xml"))
        }
        _ => {
            // A kernel that was named is tested on, whatever the modules' authors say.
            let chosen = match args.kernels.is_empty() {
                true => Chosen::Supported,
                false => Chosen::Every,
            };
            run.guest_of(&context.cwd, &chosen)?;
            let target = usable_target_dir(&context.home, &context.cwd.join("target"));
            run.finish(&target.join("koru/junit.xml"))
        }
    }
}
