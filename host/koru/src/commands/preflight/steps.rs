// SPDX-License-Identifier: MIT OR Apache-2.0

//! The steps that a module goes through on one kernel.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use koru_error::{Error, Result};
use koru_kbuild::{Ko, Module, Source};
use koru_kernels::KernelTree;

use super::verdict::Step;
use crate::{
    cli::{KernelChoice, PreflightArgs},
    context::Context,
    guest::{complaint_error, machine},
    log::view::LogSink,
    named::Named,
    run::{outcome::RunOptions, run_module},
    target::request::{CommandIo, ModuleRequest, Place, RunRequest},
    testing::{
        module_tests::{ModuleTests, passed},
        report::Suite,
    },
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

    fn run_tests(&self, named: &Named, tested: Option<&Module>) -> Result<Vec<Suite>> {
        let tests = ModuleTests {
            context: self.context,
            kernel: &self.tree.release,
            rules: &self.args.rules,
        };
        tests.run(named, tested, &self.crates)
    }
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
