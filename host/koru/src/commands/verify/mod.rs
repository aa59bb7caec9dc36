//! `koru verify`: judges any module by the conformance tests of a contract.

mod contract;
mod findings;
mod promises;
mod report;
mod subject;

use std::{path::PathBuf, time::Duration};

use findings::{Finding, Verdict, complained, in_place};
use koru_error::{Error, Kind, Result};
use koru_kbuild::find_modules;
use koru_kernels::Progress;
use koru_vm::Guest;
use promises::{Promise, Tests};
use subject::Subject;

use crate::{
    cli::VerifyArgs,
    context::Context,
    guest::module_path,
    log::oops::{self, Log},
    testing::{
        binaries::{TestBinary, guest_binaries},
        runner::{self, TestEnvironment},
    },
    ui::{self, json},
};
use crate::{failure::show_error, testing::result::TestResult};

/// Where a course's contract lies in the guest; the tests are told.
const CONTRACT: &str = "/tests/contract.toml";

pub fn verify(context: &Context, args: &VerifyArgs) -> Result<u8> {
    // What is wrong with the request is said before anything is built.
    let tests = promises::tests(&context.home.root, &args.name)?;
    let (promises, slow) = wanted(&tests, args)?;
    let contract = args.contract.as_ref().map(|file| {
        contract::read(&tests.contract, &context.cwd.join(file)).map(|text| (file.clone(), text))
    });
    let contract = contract.transpose()?;
    let subject = subject::subject(context, args, &tests.name)?;
    let binary = test_binary(context, &tests.name)?;
    let kos = modules(context, &tests, &subject)?;
    for (name, ko) in &kos {
        context.register_module(name, ko);
    }
    context.register_module(&subject.name, &subject.ko);
    let moved = subject.moved(args);
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
    let mut findings = match try_loading(context, &subject, &tests.name, &environment)? {
        Loading::Works { guest, taint } => {
            environment.taint = taint;
            run(context, &subject, &environment, guest, &promises)?
        }
        Loading::Fails { verdict, why, log } => promises
            .iter()
            .map(|p| Finding::without_a_try(p, verdict, &why, &log))
            .collect(),
    };
    findings.extend(slow.iter().map(Finding::skipped));
    // As they stand in the source.
    findings.sort_by_key(|f| tests.promises.iter().position(|p| p.test == f.test));
    context.ui.done();

    let told = report::Told {
        name: &tests.name,
        subject: &subject,
        contract: contract.as_ref().map(|(file, _)| file.as_path()),
        findings: &findings,
    };
    if let Some(path) = &args.junit {
        told.write_junit(&context.cwd.join(path))?;
    }
    if let Some(path) = &args.markdown {
        told.write_markdown(&context.cwd.join(path))?;
    }
    if context.json {
        json(&findings);
    } else {
        ui::out(&told.table());
    }
    let message = |f: &Finding| matches!(f.result, Verdict::Fail | Verdict::Crash);
    Ok(u8::from(findings.iter().any(message)))
}

/// The promises to try, and those that were asked for but take too long.
fn wanted(tests: &Tests, args: &VerifyArgs) -> Result<(Vec<Promise>, Vec<Promise>)> {
    let filters = &args.filters;
    let fits = |p: &&Promise| {
        let holds = |f: &String| p.test.contains(f.as_str()) || p.text.contains(f.as_str());
        filters.is_empty() || filters.iter().any(holds)
    };
    let fitting = tests.promises.iter().filter(fits).cloned();
    let (slow, wanted): (Vec<Promise>, Vec<Promise>) = fitting.partition(|p| p.slow && !args.slow);
    if wanted.is_empty() {
        let attempted = format!("choosing among the promises of {}", tests.name);
        return Err(match slow.is_empty() {
            true => Error::new(
                Kind::Usage,
                attempted,
                format!("none has the word `{}`", filters.join("` or `")),
            )
            .help(format!(
                "without a word, all {} are tried",
                tests.promises.len()
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
            "cargo made no binary of this name",
        )
        .help("tests/Cargo.toml must have a [[test]] entry for it")
    })
}

/// What lies in the guest: the module under the name that the tests know, and those
/// of ours that the tests load beside it.
fn modules(context: &Context, tests: &Tests, subject: &Subject) -> Result<Vec<(String, PathBuf)>> {
    let root = &context.home.root;
    let mut beside = find_modules(&context.home, root, &[])?;
    beside.retain(|m| m.name != tests.name && tests.name_module(&m.name));
    let mut kos = vec![(tests.name.clone(), subject.ko.clone())];
    if !beside.is_empty() {
        let (built, _) = context.build(&subject.tree, &beside)?;
        kos.extend(built.into_iter().map(|k| (k.name, k.path)));
    }
    Ok(kos)
}

enum Loading {
    Works {
        /// To go on with, if nothing was wrong.
        guest: Option<Guest>,
        /// The bits that a module of its licence sets.
        taint: u64,
    },
    Fails {
        verdict: Verdict,
        why: String,
        log: Log,
    },
}

/// Loads and unloads it once: what fails here is said once, at the top.
fn try_loading(
    context: &Context,
    subject: &Subject,
    name: &str,
    environment: &TestEnvironment,
) -> Result<Loading> {
    let guest = environment.start(context, &subject.tree)?;
    let session = guest.session();
    context.ui.status(&format!("loading {}", subject.shown));
    let (taint_before, begin) = (session.taint()?, session.mark()?);
    if let Err(error) = session.load(&module_path(name), &[]) {
        context.ui.done();
        let mut records = session.log_since(begin);
        if records.is_empty() {
            records = error.records().to_vec();
        }
        let log = Log::new(context, &oops::decoder(context), &records);
        let at = in_place(&log);
        let first = koru_klog::first_complaint(error.records());
        let (verdict, what) = match (&error, first) {
            (koru_session::Error::LoadFailed { errno, .. }, _) => {
                (Verdict::Fail, koru_error::errno_text(*errno))
            }
            (koru_session::Error::Hung { .. } | koru_session::Error::Timeout { .. }, _) => {
                (Verdict::Crash, format!("its init does not end{at}"))
            }
            (_, Some(complaint)) => complained(&complaint, &at),
            _ => (Verdict::Crash, error.to_string()),
        };
        let mut told = Error::from(error);
        told.output = Some(log.lines.join("\n"));
        show_error(context, told);
        return Ok(Loading::Fails {
            verdict,
            why: format!("the module does not load: {what}"),
            log,
        });
    }
    let taint = session.taint()?;
    let complaint = session.complaint_since(begin, taint)?;
    let unloaded = session.unload(&subject.name);
    let clean = session.list().is_ok_and(|modules| modules.is_empty());
    if let Err(error) = &unloaded {
        context.ui.say(&format!("koru: {}: {error}", subject.shown));
    }
    // A kernel that complained is no good for what follows.
    let good = unloaded.is_ok() && clean && complaint.is_none();
    Ok(Loading::Works {
        guest: good.then_some(guest),
        taint: if complaint.is_none() {
            taint & !taint_before
        } else {
            0
        },
    })
}

/// Tries one promise after the other; tells each as it is known.
fn run(
    context: &Context,
    subject: &Subject,
    environment: &TestEnvironment,
    mut guest: Option<Guest>,
    promises: &[Promise],
) -> Result<Vec<Finding>> {
    let tests: Vec<(String, bool)> = promises.iter().map(|p| (p.test.clone(), false)).collect();
    let of = |test: &str| promises.iter().find(|p| p.test == test);
    let finding = |result: &TestResult| {
        of(&result.name).map(|promise| Finding::of(promise, result, environment.limit))
    };
    let tree = &subject.tree;
    let results = runner::run_tests(context, tree, environment, &mut guest, &tests, &|r| {
        if let Some(found) = finding(r) {
            context
                .ui
                .say(&format!("{:5}  {}", found.result.word(), found.promise));
        }
    })?;
    runner::power_off(guest)?;
    Ok(results.iter().filter_map(finding).collect())
}
