// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru verify`: runs the conformance tests of a contract against any module.

mod by_folder;
mod causes;
mod check_result;
mod contract;
mod limits;
mod made_files;
mod module_under_test;
mod report;
mod requirements;
mod words;

use std::{path::PathBuf, time::Duration};

use koru_error::{Error, Kind, Result};
use koru_kbuild::find_modules;
use koru_kernels::Progress;
use koru_session::{LeftBehind, load_message};
use koru_vm::Guest;

use crate::{
    cli::VerifyArgs,
    context::Context,
    ctrl_c::{INTERRUPTED, flag_of_ctrl_c},
    guest::module_path,
    judging::folders::contract_folder,
    log::{
        baseline::Baseline,
        oops::{self, Log},
    },
    run::left_behind,
    target::load_error::load_error,
    testing::{
        binaries::{TestBinary, guest_binaries},
        runner::{self, TestEnvironment},
    },
    ui::{self, json},
};
use crate::{failure::show_error, testing::result::TestResult};
use causes::{CommonCause, common_causes};
use check_result::{CheckResult, UNBUILT, Verdict, complained, location_suffix};
use module_under_test::ModuleUnderTest;
use report::VerifyReport;
use requirements::{Requirement, Tests};

/// The path of a course's contract in the guest, which the tests are told.
const CONTRACT: &str = "/tests/contract.toml";

pub fn verify(context: &Context, args: &VerifyArgs) -> Result<u8> {
    if let Some(folder) = contract_folder(context, &args.name) {
        return by_folder::verify(context, args, &folder, flag_of_ctrl_c()?);
    }
    // Mistakes in the request are reported before anything is built.
    let tests = requirements::tests(&context.home.root, &args.name)?;
    let (requirements, slow) = wanted(&tests, args)?;
    let contract = args.contract.as_ref().map(|file| {
        contract::read(&tests.contract, &context.cwd.join(file)).map(|text| (file.clone(), text))
    });
    let contract = contract.transpose()?;
    let (subject, findings) = match module_under_test::find(context, args, &tests.name) {
        Ok(module_under_test) => {
            let text = contract.as_ref().map(|(_, text)| text.as_slice());
            let findings = check(
                context,
                args,
                &tests,
                &module_under_test,
                text,
                &requirements,
            )?;
            (module_under_test.subject, findings)
        }
        Err(e) if matches!(e.kind, Kind::Link | Kind::Compile) => {
            let subject = module_under_test::unbuilt(context, args, &tests.name)?;
            (subject, Findings::of_failed_build(context, e))
        }
        Err(e) => return Err(e),
    };
    context.ui.done();
    let results = findings.complete(&tests, &requirements, &slow);
    let report = VerifyReport {
        name: &tests.name,
        subject: &subject,
        contract: contract.as_ref().map(|(file, _)| file.as_path()),
        results: &results,
        notes: &findings.notes,
        build_output: findings.build_output.as_deref(),
    };
    if let Some(path) = &args.junit {
        report.write_junit(&context.cwd.join(path))?;
    }
    if let Some(path) = &args.markdown {
        report.write_markdown(&context.cwd.join(path))?;
    }
    if context.json {
        json(&Json {
            contract: &tests.name,
            module: &subject.shown,
            kernel: &subject.release,
            causes: common_causes(&results),
            made_files: findings.made_files.as_deref(),
            build_output: findings.build_output.as_deref(),
            requirements: &results,
        });
    } else {
        ui::out(&report.table());
    }
    let broken = |f: &CheckResult| matches!(f.result, Verdict::Fail | Verdict::Crash);
    Ok(match () {
        () if findings.interrupted => INTERRUPTED,
        () if findings.build_output.is_some() => UNBUILT,
        () => u8::from(results.iter().any(broken)),
    })
}

/// The output of `koru verify --json`.
#[derive(serde::Serialize)]
struct Json<'a> {
    contract: &'a str,
    module: &'a str,
    kernel: &'a str,
    /// What several broken requirements have in common.
    causes: Vec<CommonCause>,
    /// The files in /proc and /dev that the module made, if it was loaded.
    made_files: Option<&'a [String]>,
    /// The output of the build, if it failed.
    build_output: Option<&'a str>,
    requirements: &'a [CheckResult],
}

/// What was found out about a module.
#[derive(Default)]
struct Findings {
    /// The results of the requirements that were judged.
    results: Vec<CheckResult>,
    /// What holds for all requirements.
    notes: Vec<String>,
    /// The files that the module made, if it was loaded.
    made_files: Option<Vec<String>>,
    /// The output of the build, if it failed.
    build_output: Option<String>,
    interrupted: bool,
}

impl Findings {
    /// Shows why a module does not build, and keeps that for the reports.
    fn of_failed_build(context: &Context, error: Error) -> Findings {
        let output = error.output.clone().unwrap_or_else(|| error.to_string());
        // rustc has shown its messages already.
        if error.kind != Kind::Compile {
            show_error(context, error);
        }
        Findings {
            build_output: Some(limits::cut_text(&output)),
            ..Findings::default()
        }
    }

    /// Returns a result for each requirement, in the order of the source.
    fn complete(
        &self,
        tests: &Tests,
        requirements: &[Requirement],
        slow: &[Requirement],
    ) -> Vec<CheckResult> {
        let mut results = self.results.clone();
        let (verdict, why) = match &self.build_output {
            Some(_) => (Verdict::Unbuilt, "the module does not build"),
            None => (Verdict::Interrupted, "interrupted before this was checked"),
        };
        for requirement in requirements {
            if !results.iter().any(|r| r.test == requirement.test) {
                let log = Log::default();
                results.push(CheckResult::without_a_try(requirement, verdict, why, &log));
            }
        }
        results.extend(slow.iter().map(CheckResult::skipped));
        results.sort_by_key(|f| tests.requirements.iter().position(|p| p.test == f.test));
        results
    }
}

/// Runs the tests of these requirements.
fn check(
    context: &Context,
    args: &VerifyArgs,
    tests: &Tests,
    module_under_test: &ModuleUnderTest,
    contract: Option<&[u8]>,
    requirements: &[Requirement],
) -> Result<Findings> {
    let binary = test_binary(context, &tests.name)?;
    let kos = modules(context, tests, module_under_test)?;
    for (name, ko) in &kos {
        context.register_module(name, ko);
    }
    context.register_module(&module_under_test.name, &module_under_test.ko);
    let moved = module_under_test.moved.clone();
    context.update_debug_info(|known| known.moved.extend(moved));

    let files: Vec<(String, Vec<u8>)> = contract
        .iter()
        .map(|text| (CONTRACT.to_owned(), text.to_vec()))
        .collect();
    let env: Vec<(String, String)> = contract
        .iter()
        .map(|_| ("KORU_CONTRACT".to_owned(), CONTRACT.to_owned()))
        .collect();
    let mut environment = TestEnvironment {
        files: &files,
        env: &env,
        limit: Duration::from_secs(u64::from(args.limit) * if args.slow { 10 } else { 1 }),
        interrupted: flag_of_ctrl_c()?,
        ..TestEnvironment::new(&binary.path, &kos, &binary.machine)
    };
    let mut findings = Findings::default();
    match try_loading(context, module_under_test, &tests.name, &environment) {
        Err(_) if environment.is_interrupted() => {}
        Err(e) => return Err(e),
        Ok(Loading::Works { guest, taint, made }) => {
            environment.taint = taint;
            findings.notes.push(made_files::sentence(&made));
            findings.made_files = Some(made);
            findings.results = run(
                context,
                module_under_test,
                &environment,
                guest,
                requirements,
            )?;
        }
        Ok(Loading::Fails { verdict, why, log }) => {
            let each = requirements.iter();
            let result = |p| CheckResult::without_a_try(p, verdict, &why, &log);
            findings.results = each.map(result).collect();
        }
    }
    findings.interrupted = environment.is_interrupted();
    if findings.interrupted {
        let note = "interrupted: not every requirement was checked";
        context.ui.done();
        context.ui.say(&format!("koru: {note}"));
        findings.notes.push(note.to_owned());
    }
    Ok(findings)
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
    let binaries = guest_binaries(context, root, &|_| true, Some(name))?;
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
        /// A sentence about the files that the module made.
        made: Vec<String>,
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
        .status(&format!("loading {}", module_under_test.subject.shown));
    let before = session.inventory()?;
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
            (koru_session::Error::LoadFailed { errno, records, .. }, _) => {
                (Verdict::Fail, load_message(*errno, records))
            }
            (koru_session::Error::Hung { .. } | koru_session::Error::Timeout { .. }, _) => {
                (Verdict::Crash, format!("its init does not return{at}"))
            }
            (_, Some(complaint)) => complained(&complaint, &at),
            _ => (Verdict::Crash, error.to_string()),
        };
        let mut report = load_error(error, Some(&module_under_test.tree));
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
    let made = made_files::made_files(&before, &session.inventory()?);
    let unloaded = session.unload(&module_under_test.name);
    let clean = session.list().is_ok_and(|modules| modules.is_empty());
    if let Err(error) = &unloaded {
        context.ui.say(&format!(
            "koru: {}: {error}",
            module_under_test.subject.shown
        ));
    }
    let left = match unloaded.is_ok() && clean {
        true => session.left_behind(&before, None)?,
        false => LeftBehind::default(),
    };
    let left = left_behind::named(context, session, left);
    context.ui.done();
    left_behind::warn(context, &left);
    // A kernel that complained cannot be used for the tests, nor one in which something is left.
    let nothing_is_wrong = complaint.is_none() && left.entries.is_empty();
    let good = unloaded.is_ok() && clean && nothing_is_wrong;
    Ok(Loading::Works {
        guest: good.then_some(guest),
        taint: if complaint.is_none() {
            taint & !baseline.taint
        } else {
            0
        },
        made,
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
    match runner::power_off(guest) {
        Err(_) if environment.is_interrupted() => {}
        done => done?,
    }
    Ok(results.iter().filter_map(result_of).collect())
}
