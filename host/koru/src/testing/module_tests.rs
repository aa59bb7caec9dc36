// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the tests of one module, for commands that do more than that.

use koru_error::{Error, Kind, Result};
use koru_kbuild::{Module, Source};

use crate::{
    cli::{BuildRules, TestArgs},
    context::Context,
    named::Named,
    testing::{guest::Chosen, report::Suite, test_run::TestRun},
};

/// How the tests of modules run.
pub struct ModuleTests<'a> {
    pub context: &'a Context,
    /// The release of the kernel.
    pub kernel: &'a str,
    pub rules: &'a BuildRules,
}

impl ModuleTests<'_> {
    /// Runs the tests of a module in Rust, or those that belong to none of them, and returns
    /// their results. `modules` are those that tests can load.
    pub fn run(
        &self,
        named: &Named,
        tested: Option<&Module>,
        modules: &[Module],
    ) -> Result<Vec<Suite>> {
        let context = self.context;
        let mut test = TestArgs {
            filters: Vec::new(),
            kernels: vec![self.kernel.to_owned()],
            rules: self.rules.clone(),
            coverage: false,
            junit: None,
            plain: false,
            yes: false,
        };
        let is_ours = |module: &Module| module.workspace == context.home.root;
        if let Source::Crate(module) = &named.source {
            if is_ours(module) {
                // Of Koru's own tests, those of this module.
                test.filters = vec![format!("{}::", module.name)];
            }
        }
        let run = TestRun::new(context, &test).quiet();
        match &named.source {
            Source::Crate(module) if is_ours(module) => {
                run.guest_of(&module.dir, &Chosen::Every)?;
            }
            Source::Crate(module) => {
                let mut modules = modules.to_vec();
                modules.retain(|other| other.workspace == module.workspace);
                let chosen = Chosen::These {
                    modules: &modules,
                    tested,
                };
                run.guest_of(&module.workspace, &chosen)?;
            }
            source => {
                let folder = named.folder(&context.cwd);
                run.programs_of(&folder, std::slice::from_ref(source))?;
            }
        }
        let mut suites = run.suites();
        if let Some(filter) = test.filters.first() {
            // The filter may be the end of another module's name.
            let own = filter.trim_end_matches("::");
            suites.retain(|suite| suite.name.split(' ').next() == Some(own));
        }
        Ok(suites)
    }
}

/// Returns how many tests passed, or the first failure.
pub fn passed(suites: &[Suite]) -> Result<usize> {
    let results = || suites.iter().flat_map(|suite| &suite.results);
    let failed = results().find_map(|test| Some((test, test.failure.as_ref()?)));
    if let Some((test, failure)) = failed {
        let attempted = format!("running the test {}", test.name);
        let said = [failure.output.as_str(), failure.log.shown.as_str()].join("\n");
        let error = Error::new(Kind::System, attempted, failure.why.clone());
        return Err(error.output(said.trim()));
    }
    Ok(results().filter(|test| test.ignored.is_none()).count())
}
