// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru verify`: runs the conformance tests of a contract against any module.

mod check_result;
mod contract;
mod module_under_test;
mod report;
mod requirements;

use std::{path::PathBuf, time::Duration};

use koru_error::{Error, Kind, Result};
use koru_kbuild::find_modules;
use koru_kernels::Progress;
use koru_vm::Guest;

use crate::{
    cli::VerifyArgs,
    context::Context,
    guest::module_path,
    log::{
        baseline::Baseline,
        oops::{self, Log},
    },
    testing::{
        binaries::{TestBinary, guest_binaries},
        runner::{self, TestEnvironment},
    },
    ui::{self, json},
};
use crate::{failure::show_error, testing::result::TestResult};
use check_result::{CheckResult, Verdict, complained, location_suffix};
use module_under_test::ModuleUnderTest;
use requirements::{Requirement, Tests};

/// The path of a course's contract in the guest, which the tests are told.
const CONTRACT: &str = "/tests/contract.toml";

pub fn verify(context: &Context, args: &VerifyArgs) -> Result<u8> {
    // Mistakes in the request are reported before anything is built.
    let tests = requirements::tests(&context.home.root, &args.name)?;
    let (requirements, slow) = wanted(&tests, args)?;
    let contract = args.contract.as_ref().map(|file| {
        contract::read(&tests.contract, &context.cwd.join(file)).map(|text| (file.clone(), text))
    });
    let contract = contract.transpose()?;
    let module_under_test = module_under_test::find(context, args, &tests.name)?;
    let binary = test_binary(context, &tests.name)?;
    let kos = modules(context, &tests, &module_under_test)?;
    for (name, ko) in &kos {
        context.register_module(name, ko);
    }
    context.register_module(&module_under_test.name, &module_under_test.ko);
    let moved = module_under_test.moved.clone();
    context.update_debug_info(|known| known.moved.extend(moved));

    let files: Vec<(String, Vec<u8>)> = contract
        .iter()
        .map(|(_, text)| (CONTRACT.to_owned(), text.clone()))
        .collect();
    let env: Vec<(String, String)> = contract
        .iter()
        .map(|_| ("KORU_CONTRACT".to_owned(), CONTRACT.to_owned()))
        .collect();
    let mut environment = TestEnvironment {
        files: &files,
        env: &env,
        limit: Duration::from_secs(u64::from(args.limit) * if args.slow { 10 } else { 1 }),
        ..TestEnvironment::new(&binary.path, &kos, &binary.machine)
    };
    let mut results = match try_loading(context, &module_under_test, &tests.name, &environment)? {
        Loading::Works { guest, taint } => {
            environment.taint = taint;
            run(
                context,
                &module_under_test,
                &environment,
                guest,
                &requirements,
            )?
        }
        Loading::Fails { verdict, why, log } => requirements
            .iter()
            .map(|p| CheckResult::without_a_try(p, verdict, &why, &log))
            .collect(),
    };
    results.extend(slow.iter().map(CheckResult::skipped));
    // The results have the order of the source.
    results.sort_by_key(|f| tests.requirements.iter().position(|p| p.test == f.test));
    context.ui.done();

    let report = report::VerifyReport {
        name: &tests.name,
        module_under_test: &module_under_test,
        contract: contract.as_ref().map(|(file, _)| file.as_path()),
        results: &results,
    };
    if let Some(path) = &args.junit {
        report.write_junit(&context.cwd.join(path))?;
    }
    if let Some(path) = &args.markdown {
        report.write_markdown(&context.cwd.join(path))?;
    }
    if context.json {
        json(&results);
    } else {
        ui::out(&report.table());
    }
    let message = |f: &CheckResult| matches!(f.result, Verdict::Fail | Verdict::Crash);
    Ok(u8::from(results.iter().any(message)))
}

/// Returns the requirements to check, and those that were asked for but take too long.
fn wanted(tests: &Tests, args: &VerifyArgs) -> Result<(Vec<Requirement>, Vec<Requirement>)> {
    let filters = &args.filters;
    let fits = |p: &&Requirement| {
        let holds = |f: &String| p.test.contains(f.as_str()) || p.text.contains(f.as_str());
        filters.is_empty() || filters.iter().any(holds)
    };
    let fitting = tests.requirements.iter().filter(fits).cloned();
    let (slow, wanted): (Vec<Requirement>, Vec<Requirement>) =
        fitting.partition(|p| p.slow && !args.slow);
    if wanted.is_empty() {
        let attempted = format!("choosing among the requirements of {}", tests.name);
        return Err(match slow.is_empty() {
            true => Error::new(
                Kind::Usage,
                attempted,
                format!("none has the word `{}`", filters.join("` or `")),
            )
            .help(format!(
                "without a word, all {} are checked",
                tests.requirements.len()
            )),
            false => {
                Error::new(Kind::Usage, attempted, "they all take minutes").help("give --slow")
            }
        });
    }
    Ok((wanted, slow))
}

/// Builds the conformance tests of one module.
fn test_binary(context: &Context, name: &str) -> Result<TestBinary> {
    let root = &context.home.root;
    let binaries = guest_binaries(context, root, Some(name))?;
    let found = binaries.into_iter().find(|b| b.name == name);
    found.ok_or_else(|| {
        Error::new(
            Kind::System,
            format!("building the conformance tests of {name}"),
            "cargo built no test of this name",
        )
        .help("tests/conformance/tests must have a file, or a folder with a main.rs, of this name")
    })
}

/// Returns the modules for the guest: the module under test, by the name that the tests know,
/// and those of Koru's that the tests load as well.
fn modules(
    context: &Context,
    tests: &Tests,
    module_under_test: &ModuleUnderTest,
) -> Result<Vec<(String, PathBuf)>> {
    let root = &context.home.root;
    let mut beside = find_modules(&context.home, root, &[])?;
    beside.retain(|m| m.name != tests.name && tests.name_module(&m.name));
    let mut kos = vec![(tests.name.clone(), module_under_test.ko.clone())];
    if !beside.is_empty() {
        let (built, _) = context.build(&module_under_test.tree, &beside)?;
        kos.extend(built.into_iter().map(|k| (k.name, k.path)));
    }
    Ok(kos)
}

enum Loading {
    Works {
        /// The guest, to continue with if nothing was wrong.
        guest: Option<Guest>,
        /// The taint bits that a module with this licence sets.
        taint: u64,
    },
    Fails {
        verdict: Verdict,
        why: String,
        log: Log,
    },
}

/// Loads and unloads the module once: a failure here is reported once, at the top.
fn try_loading(
    context: &Context,
    module_under_test: &ModuleUnderTest,
    name: &str,
    environment: &TestEnvironment,
) -> Result<Loading> {
    let guest = environment.start(context, &module_under_test.tree)?;
    let session = guest.session();
    context
        .ui
        .status(&format!("loading {}", module_under_test.shown));
    let baseline = Baseline::of(session)?;
    if let Err(error) = session.load(&module_path(name), &[]) {
        context.ui.done();
        let mut records = session.log_since(baseline.mark);
        if records.is_empty() {
            records = error.records().to_vec();
        }
        let log = Log::new(context, &oops::decoder(context), &records);
        let at = location_suffix(&log);
        let first = koru_klog::first_complaint(error.records());
        let (verdict, what) = match (&error, first) {
            (koru_session::Error::LoadFailed { errno, .. }, _) => {
                (Verdict::Fail, koru_error::errno_text(*errno))
            }
            (koru_session::Error::Hung { .. } | koru_session::Error::Timeout { .. }, _) => {
                (Verdict::Crash, format!("its init does not return{at}"))
            }
            (_, Some(complaint)) => complained(&complaint, &at),
            _ => (Verdict::Crash, error.to_string()),
        };
        let mut report = Error::from(error);
        report.output = Some(log.lines.join("\n"));
        show_error(context, report);
        return Ok(Loading::Fails {
            verdict,
            why: format!("the module does not load: {what}"),
            log,
        });
    }
    // A module may taint the kernel by its licence.
    let taint = session.taint()?;
    let complaint = Baseline { taint, ..baseline }.complaint(session)?;
    let unloaded = session.unload(&module_under_test.name);
    let clean = session.list().is_ok_and(|modules| modules.is_empty());
    if let Err(error) = &unloaded {
        context
            .ui
            .say(&format!("koru: {}: {error}", module_under_test.shown));
    }
    // A kernel that complained cannot be used for the tests.
    let good = unloaded.is_ok() && clean && complaint.is_none();
    Ok(Loading::Works {
        guest: good.then_some(guest),
        taint: if complaint.is_none() {
            taint & !baseline.taint
        } else {
            0
        },
    })
}

/// Checks one requirement after the other, and shows each result as it is known.
fn run(
    context: &Context,
    module_under_test: &ModuleUnderTest,
    environment: &TestEnvironment,
    mut guest: Option<Guest>,
    requirements: &[Requirement],
) -> Result<Vec<CheckResult>> {
    let tests: Vec<(String, bool)> = requirements
        .iter()
        .map(|p| (p.test.clone(), false))
        .collect();
    let of = |test: &str| requirements.iter().find(|p| p.test == test);
    let result_of = |result: &TestResult| {
        of(&result.name).map(|requirement| CheckResult::of(requirement, result, environment.limit))
    };
    let tree = &module_under_test.tree;
    let results = runner::run_tests(context, tree, environment, &mut guest, &tests, &|r| {
        if let Some(found) = result_of(r) {
            context
                .ui
                .say(&format!("{:5}  {}", found.result.word(), found.requirement));
        }
    })?;
    runner::power_off(guest)?;
    Ok(results.iter().filter_map(result_of).collect())
}
