// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru preflight`: tells whether modules will work on kernels before a machine runs them.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use koru_error::{Error, Kind, Result};
use koru_kbuild::Source;
use koru_kernels::{KernelTree, Progress};
use serde::Serialize;

use crate::{
    cli::{KernelChoice, PreflightArgs, TestArgs},
    context::Context,
    dependencies,
    failure::{ErrorObject, show_error},
    guest::{complaint_error, machine},
    log::{oops::Log, view::LogSink},
    run::{outcome::RunOptions, run_module},
    target::request::{CommandIo, ModuleRequest, Place, RunRequest},
    testing::{
        report::{Suite, write_junit},
        result::{Cause, Failure, TestResult},
        test_run::TestRun,
    },
    ui::{json, out},
};

/// A step that a module has to pass.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    Build,
    Load,
    Tests,
}

impl Step {
    /// Returns what is said of a module that does not pass.
    fn refusal(self) -> &'static str {
        match self {
            Step::Build => "does not build",
            Step::Load => "builds, but fails when it is loaded and unloaded",
            Step::Tests => "loads, but its tests fail",
        }
    }
}

/// What is known about one module on one kernel.
#[derive(Serialize)]
struct Verdict {
    module: String,
    kernel: String,
    go: bool,
    /// The step that the module does not pass.
    failed: Option<Step>,
    /// Why it does not pass, on one line.
    why: Option<String>,
    error: Option<ErrorObject>,
    /// The number of tests that passed.
    tests: usize,
    seconds: f64,
}

/// What the user named, and the modules' source.
struct Named {
    name: Option<String>,
    source: Source,
}

impl Named {
    fn title(&self, here: &Path) -> String {
        let folder = || here.file_name().unwrap_or_default().to_string_lossy();
        let name = || self.name.clone().unwrap_or_else(|| folder().into_owned());
        let title = self.source.name().unwrap_or_else(name);
        title.trim_end_matches('/').to_owned()
    }

    /// Returns the folder that has the tests.
    fn folder(&self, here: &Path) -> PathBuf {
        if let Source::Crate(module) = &self.source {
            return module.dir.clone();
        }
        let path = self.name.as_ref().map_or(here.into(), |n| here.join(n));
        match path.is_dir() {
            true => path,
            false => path.parent().unwrap_or(here).to_owned(),
        }
    }
}

pub fn preflight(context: &Context, args: &PreflightArgs) -> Result<u8> {
    dependencies::install_missing(&context.home, false, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &*context.ui)?;
    let trees: Vec<KernelTree> = args
        .kernels
        .iter()
        .map(|kernel| context.tree(&chosen(kernel)))
        .collect::<Result<_>>()?;
    let sources = named_sources(context, &args.modules)?;
    let titles: Vec<String> = sources.iter().map(|s| s.title(&context.cwd)).collect();
    let width = titles.iter().map(String::len).max().unwrap_or(0);
    let mut verdicts = Vec::new();
    for tree in &trees {
        let mut tested = HashMap::new();
        for (named, title) in sources.iter().zip(&titles) {
            context.ui.status(&format!("{title} on {}", tree.release));
            let begun = Instant::now();
            let done = check(context, args, tree, named, &mut tested);
            context.ui.done();
            let took = begun.elapsed();
            let verdict = match done {
                // Nothing can be said about the module.
                Err((_, error)) if error.kind == Kind::Missing => return Err(error),
                Err((step, error)) => {
                    let verdict = Verdict::new(title, tree, took, 0, Some((step, &error)));
                    show(context, &verdict, width);
                    if !context.json {
                        show_error(context, error);
                    }
                    verdict
                }
                Ok(tests) => {
                    let verdict = Verdict::new(title, tree, took, tests, None);
                    show(context, &verdict, width);
                    verdict
                }
            };
            verdicts.push(verdict);
        }
    }
    if let Some(junit) = &args.junit {
        write_junit(&suites(&verdicts), &context.cwd.join(junit))?;
    }
    if context.json {
        json(&verdicts);
    }
    Ok(u8::from(!verdicts.iter().all(|v| v.go)))
}

fn chosen(kernel: &str) -> KernelChoice {
    KernelChoice {
        kernel: Some(kernel.to_owned()),
        kdir: None,
    }
}

/// Returns what each of the user's words refers to, or what is in the current folder.
fn named_sources(context: &Context, names: &[String]) -> Result<Vec<Named>> {
    let of = |name: Option<&String>| -> Result<Vec<Named>> {
        let words = name.map_or(&[][..], std::slice::from_ref);
        let found = context.sources(words)?.into_iter();
        let named = found.map(|source| Named {
            // One folder with several crates is a list of their names.
            name: match (&source, name) {
                (Source::Crate(module), None) => Some(module.name.clone()),
                _ => name.cloned(),
            },
            source,
        });
        Ok(named.collect())
    };
    if names.is_empty() {
        return of(None);
    }
    let all: Result<Vec<_>> = names.iter().map(|name| of(Some(name))).collect();
    Ok(all?.into_iter().flatten().collect())
}

/// Takes a module through all steps. Returns how many tests passed, or the step that failed.
fn check(
    context: &Context,
    args: &PreflightArgs,
    tree: &KernelTree,
    named: &Named,
    tested: &mut HashMap<PathBuf, Vec<Suite>>,
) -> Result<usize, (Step, Error)> {
    let source = std::slice::from_ref(&named.source);
    let (kos, _) = context
        .build_sources(|| Ok(tree.clone()), source)
        .map_err(|e| (Step::Build, e))?;
    for ko in &kos {
        // A folder may have several modules.
        let one = (kos.len() > 1).then(|| ko.name.clone());
        load_and_unload(context, args, tree, named, one).map_err(|mut e| {
            // The kernel takes a module of another release if all checksums are the same.
            if ko.kernel != tree.release {
                e.message += &format!("; it was built for {}", ko.kernel);
            }
            (Step::Load, e)
        })?;
    }
    let in_tests = |e| (Step::Tests, e);
    let place = match &named.source {
        // All tests of a workspace are run together.
        Source::Crate(module) if module.workspace != context.home.root => module.workspace.clone(),
        Source::Crate(module) => module.dir.clone(),
        _ => named.folder(&context.cwd),
    };
    if !tested.contains_key(&place) {
        let suites = run_tests(context, args, tree, named).map_err(in_tests)?;
        tested.insert(place.clone(), suites);
    }
    let results = || tested[&place].iter().flat_map(|suite| &suite.results);
    let failed = results().find_map(|test| Some((test, test.failure.as_ref()?)));
    if let Some((test, failure)) = failed {
        let attempted = format!("running the test {}", test.name);
        let said = [failure.output.as_str(), failure.log.shown.as_str()].join("\n");
        let error = Error::new(Kind::System, attempted, failure.why.clone());
        return Err(in_tests(error.output(said.trim())));
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
        kernel: chosen(&tree.release),
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

/// Runs the tests that belong to a module, and returns their results.
fn run_tests(
    context: &Context,
    args: &PreflightArgs,
    tree: &KernelTree,
    named: &Named,
) -> Result<Vec<Suite>> {
    let mut test = TestArgs {
        filters: Vec::new(),
        kernel: Some(tree.release.clone()),
        rules: args.rules.clone(),
        junit: None,
        yes: false,
    };
    if let Source::Crate(module) = &named.source {
        if module.workspace == context.home.root {
            // Of Koru's own tests, those of this module.
            test.filters = vec![format!("{}::", module.name)];
        }
    }
    let run = TestRun::new(context, &test).quiet();
    match &named.source {
        Source::Crate(module) => run.guest_of(&module.dir)?,
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

impl Verdict {
    fn new(
        module: &str,
        tree: &KernelTree,
        took: Duration,
        tests: usize,
        failed: Option<(Step, &Error)>,
    ) -> Verdict {
        Verdict {
            module: module.to_owned(),
            kernel: tree.release.clone(),
            go: failed.is_none(),
            failed: failed.map(|(step, _)| step),
            why: failed.map(|(_, error)| reason(error)),
            error: failed.map(|(_, error)| ErrorObject::from(error)),
            tests,
            seconds: took.as_secs_f64(),
        }
    }

    /// Returns the verdict in a few words.
    fn words(&self) -> String {
        match (self.failed, self.tests) {
            (Some(step), _) => {
                let why = self.why.as_deref().unwrap_or_default();
                format!("{}: {why}", step.refusal())
            }
            (None, 0) => "builds, loads and unloads; it has no tests".into(),
            (None, 1) => "builds, loads and unloads; 1 test passed".into(),
            (None, n) => format!("builds, loads and unloads; {n} tests passed"),
        }
    }
}

fn show(context: &Context, verdict: &Verdict, width: usize) {
    if !context.json {
        let go = if verdict.go { "go" } else { "no-go" };
        let Verdict { module, kernel, .. } = verdict;
        out(&format!(
            "{go:<5}  {module:<width$}  {kernel}  {}",
            verdict.words()
        ));
    }
}

/// Returns the reason of a failure on one line: an explanation of the compiler's errors, or the
/// first error, or what koru says.
fn reason(error: &Error) -> String {
    if let Some(hint) = error.hints().first() {
        return hint.message.clone();
    }
    let output = error.output.as_deref().unwrap_or_default();
    let compilers = output.lines().find_map(|line| line.split_once(" error: "));
    let why = match compilers {
        Some((_, first)) if error.kind != Kind::System => first,
        _ => &error.message,
    };
    why.lines().next().unwrap_or_default().to_owned()
}

/// Returns the verdicts as a JUnit report has them: a suite for each kernel.
fn suites(verdicts: &[Verdict]) -> Vec<Suite> {
    let mut suites: Vec<Suite> = Vec::new();
    for verdict in verdicts {
        let name = format!("preflight on {}", verdict.kernel);
        let failure = verdict.error.as_ref().map(|error| Failure {
            cause: Cause::Test,
            why: verdict.words(),
            output: error.output.clone().unwrap_or_default(),
            log: Log::default(),
        });
        let result = TestResult {
            name: verdict.module.clone(),
            took: Duration::from_secs_f64(verdict.seconds),
            failure,
            ignored: None,
        };
        match suites.last_mut().filter(|suite| suite.name == name) {
            Some(suite) => suite.results.push(result),
            None => suites.push(Suite {
                name,
                results: vec![result],
            }),
        }
    }
    suites
}
