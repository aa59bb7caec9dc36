// SPDX-License-Identifier: MIT OR Apache-2.0

//! The steps that a module goes through on one kernel.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use koru_error::{Error, Kind, Result};
use koru_kbuild::{Ko, Module, Source};
use koru_kernels::KernelTree;

use super::{named::Named, verdict::Step};
use crate::{
    cli::{KernelChoice, PreflightArgs, TestArgs},
    context::Context,
    guest::{complaint_error, machine},
    log::view::LogSink,
    run::{outcome::RunOptions, run_module},
    target::request::{CommandIo, ModuleRequest, Place, RunRequest},
    testing::{guest::Chosen, report::Suite, test_run::TestRun},
};

/// What is being checked on one kernel.
pub struct Check<'a> {
    pub context: &'a Context,
    pub args: &'a PreflightArgs,
    pub tree: &'a KernelTree,
    /// The crates that build for this kernel.
    pub crates: Vec<Module>,
    /// The results of tests that belong to several modules.
    tested: HashMap<PathBuf, Result<Vec<Suite>>>,
}

impl<'a> Check<'a> {
    pub fn new(context: &'a Context, args: &'a PreflightArgs, tree: &'a KernelTree) -> Check<'a> {
        Check {
            context,
            args,
            tree,
            crates: Vec::new(),
            tested: HashMap::new(),
        }
    }

    /// Builds the modules of a source.
    pub fn build(&mut self, named: &Named) -> Result<Vec<Ko>> {
        let sources = std::slice::from_ref(&named.source);
        let (kos, _) = self
            .context
            .build_sources(|| Ok(self.tree.clone()), sources)?;
        if let Source::Crate(module) = &named.source {
            self.crates.push(module.clone());
        }
        Ok(kos)
    }

    /// Takes a module that was built through the other steps. Returns how many tests passed, or
    /// the step that failed.
    pub fn load_and_test(
        &mut self,
        named: &Named,
        ko: &Ko,
        is_one_of_many: bool,
    ) -> Result<usize, (Step, Error)> {
        let one = is_one_of_many.then(|| ko.name.clone());
        load_and_unload(self.context, self.args, self.tree, named, one).map_err(|mut e| {
            // The kernel takes a module of another release if all checksums are the same.
            if ko.kernel != self.tree.release {
                e.message += &format!("; it was built for {}", ko.kernel);
            }
            (Step::Load, e)
        })?;
        // The general tests load all modules of a folder, of which another one may fail.
        let is_crate = matches!(named.source, Source::Crate(_));
        if is_one_of_many && !is_crate && !named.folder(&self.context.cwd).join("tests").is_dir() {
            return Ok(0);
        }
        self.test(named).map_err(|e| (Step::Tests, e))
    }

    /// Runs the tests of a module, and those that belong to several unless they have run.
    fn test(&mut self, named: &Named) -> Result<usize> {
        let home = &self.context.home.root;
        let shared = match &named.source {
            Source::Crate(module) if module.workspace != *home => {
                let own = Some(module);
                let passed = passed(&self.run_tests(named, own)?)?;
                return Ok(passed + self.shared(named, module.workspace.clone())?);
            }
            Source::Crate(module) => module.dir.clone(),
            _ => named.folder(&self.context.cwd),
        };
        self.shared(named, shared)
    }

    /// Runs tests that belong to several modules. A failure of theirs is one of each module.
    fn shared(&mut self, named: &Named, place: PathBuf) -> Result<usize> {
        if !self.tested.contains_key(&place) {
            let suites = self.run_tests(named, None);
            self.tested.insert(place.clone(), suites);
        }
        match &self.tested[&place] {
            Ok(suites) => passed(suites),
            Err(e) => Err(e.without_source()),
        }
    }

    /// Runs the tests of a module in Rust, or those that belong to none of them, and returns
    /// their results.
    fn run_tests(&self, named: &Named, tested: Option<&Module>) -> Result<Vec<Suite>> {
        let context = self.context;
        let mut test = TestArgs {
            filters: Vec::new(),
            kernels: vec![self.tree.release.clone()],
            rules: self.args.rules.clone(),
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
                let mut modules = self.crates.clone();
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
fn passed(suites: &[Suite]) -> Result<usize> {
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

/// Loads a module in a fresh virtual machine and unloads it.
fn load_and_unload(
    context: &Context,
    args: &PreflightArgs,
    tree: &KernelTree,
    named: &Named,
    module: Option<String>,
) -> Result<()> {
    let request = RunRequest {
        modules: vec![ModuleRequest {
            source: named.name.clone(),
            module,
            params: Vec::new(),
        }],
        kernel: KernelChoice::named(&tree.release),
        place: Place::FreshVm {
            machine: machine(),
            replay: None,
        },
        yes: false,
        files: Vec::new(),
        command: Vec::new(),
    };
    let options = RunOptions {
        log: LogSink::Nowhere,
        command: CommandIo {
            interactive: false,
            output: &|_| Ok(()),
        },
        limit: Some(Duration::from_secs(args.limit.into())),
        started: &|_| (),
    };
    let run = run_module(context, &request, &options)?;
    run.outcome?;
    match &run.complaint {
        Some(complaint) => Err(complaint_error(
            &format!("running {}", run.module),
            complaint,
        )),
        None => Ok(()),
    }
}
