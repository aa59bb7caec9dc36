// SPDX-License-Identifier: MIT OR Apache-2.0

//! Judges a module: every promise of a contract, each while nothing else is loaded.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use koru_error::{Error, Kind, Result};
use koru_judge::{Contract, Judged, Promise, Verdict, error_words};
use koru_kernels::{KernelTree, Progress};
use koru_klog::{Complaint, ComplaintKind, LogRecord, first_complaint, taint_complaint};
use koru_protocol::Inventory;
use koru_qemu::Initramfs;
use koru_session::Session;
use koru_vm::Guest;

use super::{
    findings::{Findings, PromiseResult},
    helpers,
    marks::marks,
    player::{BrokenStep, MOST_RECORDS, Player},
    program::check_program,
    subject::Subject,
};
use crate::{
    context::Context,
    guest::{self, module_path},
    log::{
        baseline::Baseline,
        oops::{self, Log},
    },
    programs,
    run::left_behind::named,
};

/// The programs that a guest needs to carry out steps.
const PROGRAMS: [&str; 1] = ["ioshell"];

/// The taint bits that a module's licence may set: proprietary, and out of tree.
const LICENCE: u64 = 1 | 1 << 12 | 1 << 13;

/// What a run judges beside the module.
pub struct Judging<'a> {
    pub context: &'a Context,
    pub contract: &'a Contract,
    /// Judges only promises in whose name or title one of these words is.
    pub filters: &'a [String],
    /// How long all promises together may take.
    pub limit: Option<Duration>,
    pub interrupted: Arc<AtomicBool>,
}

/// A guest, and what it had before anything was loaded.
struct Stage {
    guest: Guest,
    before: Inventory,
}

/// What one promise led to.
struct Played {
    result: PromiseResult,
    complaint: Option<Complaint>,
    left: Option<String>,
    was_loaded: bool,
    log: Log,
    /// Whether another promise can be judged in the guest.
    usable: bool,
}

/// Builds a module and judges it. A module that does not build has findings as well.
pub fn build_and_judge(judging: &Judging, tree: &KernelTree, source: &Path) -> Result<Findings> {
    let wanted = judging.contract.module.as_deref();
    let helpers = helpers::build(judging.context, tree, judging.contract)?;
    match Subject::build(judging.context, tree, source, wanted, &helpers) {
        Ok(subject) => {
            let mut findings = judge(judging, &subject)?;
            findings.marks = marks(judging.contract, &subject.module().path)?;
            Ok(findings)
        }
        Err(e) if matches!(e.kind, Kind::Link | Kind::Compile) => {
            let shown = source.display().to_string();
            let why = "the module does not build";
            let mut findings = Findings::untried(judging.contract, &shown, &tree.release, why);
            let output = e.output.clone().unwrap_or_else(|| e.to_string());
            findings.build_output = Some(format!("{}\n{output}", e.message));
            Ok(findings)
        }
        Err(e) => Err(e),
    }
}

/// Judges a module that has been built.
pub fn judge(judging: &Judging, subject: &Subject) -> Result<Findings> {
    let (context, contract) = (judging.context, judging.contract);
    let chosen: Vec<&Promise> = chosen(judging)?;
    programs::build(context, &PROGRAMS.map(str::to_owned))?;
    let module = subject.module();
    context.register_module(&module.name, &module.path);
    let mut rules: Vec<PromiseResult> = contract
        .always
        .rules()
        .map(PromiseResult::of_rule)
        .collect();
    let mut results: Vec<PromiseResult> = Vec::new();
    let mut stage: Option<Stage> = None;
    let mut was_loaded = false;
    if let Some(name) = contract.module.as_ref().filter(|n| **n != module.name) {
        let why = format!("the module's name is {}, and has to be {name}", module.name);
        return Ok(Findings::untried(
            contract,
            &subject.shown,
            &subject.tree.release,
            &why,
        ));
    }
    let end = judging.limit.map(|limit| Instant::now() + limit);
    for promise in chosen {
        if let Some(need) = unmet(promise, &results) {
            let result = PromiseResult::kept(contract, promise).unmet(&need, contract.untried);
            let word = result.result.word();
            context.ui.say(&format!("{word:5}  {}", promise.title));
            results.push(result);
            continue;
        }
        if judging.interrupted.load(Ordering::Relaxed) || left(end).is_zero() {
            let why = match left(end).is_zero() {
                true => "not tried: the time for this module was over",
                false => "not tried, because of an interruption",
            };
            results.push(PromiseResult::kept(contract, promise).broken(Verdict::NotTried, why));
            continue;
        }
        context.ui.status(&format!("judging: {}", promise.title));
        let begun = Instant::now();
        let at = match stage.take() {
            Some(stage) => stage,
            None => start(context, subject)?,
        };
        let mut played = judging.promise(subject, &at, promise, left(end))?;
        played.result.seconds = (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        was_loaded |= played.was_loaded;
        note(&mut rules, promise, &played);
        if played.usable && begins_again(at.guest.session(), subject) {
            stage = Some(at);
        }
        context.ui.say(&format!(
            "{:5}  {}",
            played.result.result.word(),
            promise.title
        ));
        results.push(played.result);
    }
    if let Some(stage) = stage {
        // A guest that does not end in order is ended all the same.
        _ = stage.guest.power_off();
    }
    context.ui.done();
    if !was_loaded {
        let why = "not tried, because the module was never loaded";
        let untried = |rule: PromiseResult| match rule.result {
            Verdict::Pass => rule.broken(Verdict::NotTried, why),
            _ => rule,
        };
        rules = rules.into_iter().map(untried).collect();
    }
    results.extend(rules);
    let mut findings = Findings::new(contract, &subject.shown, &subject.tree.release, results);
    findings.interrupted = judging.interrupted.load(Ordering::Relaxed);
    Ok(findings)
}

/// Returns the promises to judge: those that were asked for, and those that they need.
fn chosen<'a>(judging: &Judging<'a>) -> Result<Vec<&'a Promise>> {
    let (contract, filters) = (judging.contract, judging.filters);
    let fits = |p: &Promise| {
        let has = |f: &String| p.name.contains(f.as_str()) || p.title.contains(f.as_str());
        filters.is_empty() || filters.iter().any(has)
    };
    let mut names: Vec<&str> = Vec::new();
    // What a promise needs stands above it.
    for promise in contract.promises.iter().rev() {
        if fits(promise) || names.contains(&promise.name.as_str()) {
            names.push(&promise.name);
            names.extend(promise.needs.iter().map(String::as_str));
        }
    }
    let chosen = contract.promises.iter();
    let chosen: Vec<_> = chosen
        .filter(|p| names.contains(&p.name.as_str()))
        .collect();
    if chosen.is_empty() {
        let attempted = format!("choosing among the promises of {}", contract.name);
        let message = format!("none has the word `{}`", filters.join("` or `"));
        let all: Vec<&str> = contract.promises.iter().map(|p| p.name.as_str()).collect();
        return Err(Error::new(Kind::Usage, attempted, message)
            .help(format!("there are: {}", all.join(", "))));
    }
    Ok(chosen)
}

/// Returns the title of a promise that this one needs and that was not kept.
fn unmet(promise: &Promise, results: &[PromiseResult]) -> Option<String> {
    let mut needed = results.iter().filter(|r| promise.needs.contains(&r.name));
    // What is undecided counts neither way.
    let is_met = |r: &PromiseResult| matches!(r.result, Verdict::Pass | Verdict::Undecided);
    let unmet = needed.find(|r| !is_met(r))?;
    Some(match unmet.secret {
        true => "a promise that is secret".to_owned(),
        false => unmet.title.clone(),
    })
}

/// Starts a guest with the module, and loads what that needs.
fn start(context: &Context, subject: &Subject) -> Result<Stage> {
    let mut root = Initramfs::new();
    for module in &subject.modules {
        root.file(&module_path(&module.name), &module.path)?;
    }
    programs::put(context, &mut root, &PROGRAMS.map(str::to_owned))?;
    let mut machine = guest::machine();
    machine.cpus = 2;
    machine.harsh = true;
    let guest = guest::start(context, &subject.tree, root, &machine)?;
    let session = guest.session();
    for module in subject.modules.iter().filter(|m| m.is_dependency) {
        session
            .load(&module_path(&module.name), &[])
            .map_err(Error::from)?;
    }
    let before = session.inventory().map_err(Error::from)?;
    Ok(Stage { guest, before })
}

/// Unloads the helpers and loads them again, so that nothing that they remember reaches the next
/// promise. Returns whether that was possible.
fn begins_again(session: &Session, subject: &Subject) -> bool {
    let helpers = subject.helpers();
    let unloaded = helpers
        .iter()
        .rev()
        .all(|m| session.unload(&m.name).is_ok());
    let mut again = helpers.iter().map(|m| module_path(&m.name));
    unloaded && again.all(|path| session.load(&path, &[]).is_ok())
}

/// Notes what a promise says about the rules that always hold.
fn note(rules: &mut [PromiseResult], promise: &Promise, played: &Played) {
    let during = match promise.secret {
        true => "while a secret promise was tried".to_owned(),
        false => format!("while this was tried: {}", promise.title),
    };
    for rule in rules.iter_mut().filter(|r| r.result == Verdict::Pass) {
        let seen = match (&*rule.name, &played.complaint) {
            ("no-crash", _) if played.result.result == Verdict::Crash => {
                played.result.seen.clone().unwrap_or_default()
            }
            ("no-report", Some(complaint)) if !is_crash(complaint) => complaint.to_string(),
            ("nothing-left", _) => match &played.left {
                Some(left) => left.clone(),
                None => continue,
            },
            _ => continue,
        };
        let verdict = match &*rule.name {
            "no-crash" => Verdict::Crash,
            _ => Verdict::Fail,
        };
        let broken = rule.clone().broken(verdict, seen);
        *rule = PromiseResult {
            done: Some(during.clone()),
            ..broken.with_log(&played.log)
        };
    }
}

/// Returns whether a complaint means that the kernel cannot go on as before.
fn is_crash(complaint: &Complaint) -> bool {
    use ComplaintKind as K;
    matches!(
        complaint.kind,
        K::Oops
            | K::Bug
            | K::Panic
            | K::Lockup
            | K::RcuStall
            | K::HungTask
            | K::StillRegistered
            | K::Sanitizer
    )
}

/// Returns the time that is left.
fn left(end: Option<Instant>) -> Duration {
    end.map_or(Duration::MAX, |end| {
        end.saturating_duration_since(Instant::now())
    })
}

impl Judging<'_> {
    /// Judges one promise in a guest.
    fn promise(
        &self,
        subject: &Subject,
        stage: &Stage,
        promise: &Promise,
        left: Duration,
    ) -> Result<Played> {
        let limit = left.min(self.contract.limit);
        let session = stage.guest.session();
        // The program is compiled before anything is tried, since its errors are the teacher's.
        let program = match &promise.judged {
            Judged::Program { file, .. } => Some(check_program(self.context, file)?),
            Judged::Steps(_) => None,
        };
        let module = &subject.module().name;
        let kept = PromiseResult::kept(self.contract, promise);
        let mut baseline = match Baseline::of(session) {
            Ok(baseline) => baseline,
            Err(e) => return Err(Error::from(e)),
        };
        baseline.taint |= LICENCE;
        let mut player = Player::new(
            session,
            module,
            &stage.before,
            baseline.mark,
            limit,
            &self.interrupted,
        );
        let mut left_behind = None;
        let mut usable = false;
        let records = |session: &Session| {
            let mut records = session.log_since(baseline.mark);
            records.truncate(MOST_RECORDS);
            records
        };
        let outcome = (|| -> koru_session::Result<(PromiseResult, Option<Complaint>)> {
            let result = match (&promise.judged, &program) {
                (Judged::Program { parameters, .. }, Some(program)) => {
                    self.checked(&mut player, &kept, program, parameters, limit)?
                }
                (Judged::Steps(steps), _) => match player.play(steps)? {
                    None => match player.undecided.take() {
                        Some(why) => kept.clone().undecided(&why),
                        None => kept.clone(),
                    },
                    Some(BrokenStep { index, broken }) => PromiseResult {
                        step: Some(index + 1),
                        line: Some(steps[index].line),
                        done: Some(steps[index].words.clone()),
                        promised: Some(broken.promised),
                        ..kept.clone().broken(Verdict::Fail, broken.seen)
                    },
                },
                (Judged::Program { .. }, None) => kept.clone(),
            };
            let ended = player.end_processes();
            let mut clean = ended;
            // The guest of a process that does not end is not used again.
            if ended && session.list()?.iter().any(|row| row.name == *module) {
                clean &= player.unload()?.is_ok();
            }
            player.look_into_log()?;
            clean &= !player.floods();
            let taint = session.taint()?;
            session.mark()?;
            let complaint = first_complaint(&records(session))
                .or_else(|| taint_complaint(baseline.taint, taint));
            if clean && complaint.is_none() {
                let left = session.left_behind(&stage.before, None)?;
                left_behind = named(self.context, session, left).sentence();
            }
            usable = clean && complaint.is_none() && left_behind.is_none();
            Ok((result, complaint))
        })();
        let was_loaded = player.was_loaded;
        Ok(match outcome {
            Ok((result, complaint)) => {
                _ = session.mark();
                let log = self.log(&records(session));
                let crashed = complaint.as_ref().filter(|c| is_crash(c));
                let result = match crashed {
                    Some(complaint) => kept.broken(Verdict::Crash, crash_words(complaint, &log)),
                    None => result,
                };
                let result = match result.result {
                    Verdict::Pass => result,
                    _ => result.with_log(&log),
                };
                Played {
                    result,
                    complaint,
                    left: left_behind,
                    was_loaded,
                    log,
                    usable,
                }
            }
            // The guest, or a part of it, is lost.
            Err(error) => {
                let mut all = records(session);
                for record in error.records() {
                    if all.last().is_none_or(|last| record.seq > last.seq) {
                        all.push(record.clone());
                    }
                }
                let log = self.log(&all);
                let complaint = first_complaint(&all);
                let hung = matches!(
                    error,
                    koru_session::Error::Hung { .. } | koru_session::Error::Timeout { .. }
                );
                let place = log.place().map_or(String::new(), |p| format!(" in {p}"));
                // The NMI that makes the kernel say where it hangs makes it panic as well.
                let words = match &complaint {
                    Some(complaint) if !hung || !is_panic(complaint) => {
                        crash_words(complaint, &log)
                    }
                    _ if hung => format!("the kernel hung{place}"),
                    _ => error.to_string(),
                };
                let result = kept.broken(Verdict::Crash, words).with_log(&log);
                Played {
                    result,
                    complaint,
                    left: None,
                    was_loaded,
                    log,
                    usable: false,
                }
            }
        })
    }

    /// Judges by a program of the contract.
    fn checked(
        &self,
        player: &mut Player,
        kept: &PromiseResult,
        program: &super::program::CheckProgram,
        parameters: &[String],
        limit: Duration,
    ) -> koru_session::Result<PromiseResult> {
        if let Err((errno, words)) = player.load(parameters)? {
            let result = kept.clone().broken(Verdict::Fail, words);
            return Ok(PromiseResult {
                done: Some("load of the module".to_owned()),
                promised: Some(format!("success, and not {}", error_words(errno))),
                ..result
            });
        }
        let names = &self.contract.names;
        let checked = program.run(player.session(), names, limit, &self.interrupted)?;
        Ok(match checked.broken {
            None => kept.clone(),
            Some(broken) => PromiseResult {
                points: kept.of * checked.part,
                promised: Some(broken.promised),
                ..kept.clone().broken(Verdict::Fail, broken.seen)
            },
        })
    }

    fn log(&self, records: &[LogRecord]) -> Log {
        /// The number of the first and of the last records that a report has.
        const FEW: usize = 150;
        let few = match records.len() {
            0..=300 => records.to_vec(),
            n => [&records[..FEW], &records[n - FEW..]].concat(),
        };
        Log::new(self.context, &oops::decoder(self.context), &few)
    }
}

fn is_panic(complaint: &Complaint) -> bool {
    complaint.kind == ComplaintKind::Panic
}

fn crash_words(complaint: &Complaint, log: &Log) -> String {
    match log.place() {
        Some(place) => format!("the kernel crashed in {place}: {}", complaint.line),
        None => format!("the kernel crashed: {}", complaint.line),
    }
}
