// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru grade`: judges a whole class, and writes the results.

mod class;
mod csv;
mod html;
mod results;
mod row;
mod similar;
mod submissions;

use std::{
    collections::VecDeque,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_judge::Seed;
use koru_kernels::{KernelTree, Key, Progress};

use crate::{
    cli::GradeArgs,
    context::Context,
    ctrl_c::{INTERRUPTED, flag_of_ctrl_c},
    judging::{
        findings::Findings,
        folders, helpers,
        judge::{Judging, build_and_judge},
    },
    programs,
    ui::{self, json},
};
use results::Results;
use row::{Row, file_name};
use similar::Pair;
use submissions::Submission;

/// The folder of the results that are kept for the next run.
const KEPT: &str = ".rows";

/// What the judging of all students has in common.
struct Class<'a> {
    context: &'a Context,
    args: &'a GradeArgs,
    contract: PathBuf,
    tree: KernelTree,
    out: PathBuf,
    /// The hash of the contract and of the kernel.
    key: String,
    interrupted: Arc<AtomicBool>,
}

pub fn grade(context: &Context, args: &GradeArgs) -> Result<u8> {
    // An error in the contract is found before anything is judged.
    let contract = folders::contract(context, &args.contract, Seed::default())?;
    let submissions = submissions::find(&context.cwd.join(&args.submissions))?;
    let tree = context.tree(&args.kernel)?;
    let folder = folders::contract_folder(context, &args.contract).unwrap_or_default();
    let out = context.cwd.join(&args.out);
    fs::create_dir_all(out.join(KEPT)).path_context("creating", &out)?;
    programs::build(context, &["ioshell".to_owned()])?;
    // So is one in its helpers.
    helpers::build(context, &tree, &contract)?;
    let mut key = key_of_folder(&folder, Key::default().with(&tree.release))?;
    for helper in contract.helpers.iter().map(|path| context.cwd.join(path)) {
        key = match helper.is_dir() {
            true => key_of_folder(&helper, key)?,
            false => key.add_file(&helper)?,
        };
    }
    let class = Class {
        context,
        args,
        // A contract that others extend is part of the text that `contract` has.
        key: key
            .with(format!("{contract:?}"))
            .with(env!("CARGO_PKG_VERSION"))
            .hex(),
        contract: folder,
        tree,
        out,
        interrupted: flag_of_ctrl_c()?,
    };
    let works = args.similar.then(|| submissions.clone());
    let mut results = class.judge_all(submissions);
    context.ui.done();
    if let Some(works) = works {
        results.pairs = class.similar(&works);
    }
    class::write(&class.out, &contract, &results)?;
    if context.json {
        let students = results.rows.iter().map(|row| {
            serde_json::json!({
                "student": row.student,
                "state": row.state(),
                "points": row.findings.points,
                "of": row.findings.of,
                "problem": row.problem,
                "marks": row.findings.marks,
                "seconds": row.seconds,
            })
        });
        json(&serde_json::json!({
            "contract": contract.name,
            "out": args.out,
            "students": students.collect::<Vec<_>>(),
            "changes": results.changes,
            "similar": results.pairs,
        }));
    } else {
        ui::out(&class::summary(&results, &args.out));
    }
    let interrupted = class.interrupted.load(Ordering::Relaxed);
    Ok(if interrupted { INTERRUPTED } else { 0 })
}

/// Hashes the files of a folder.
fn key_of_folder(folder: &Path, mut key: Key) -> Result<Key> {
    let entries = fs::read_dir(folder).path_context("reading", folder)?;
    let mut entries: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    entries.sort();
    for entry in entries {
        // Solutions and wrong modules make no difference to a student.
        let name = entry.file_name().unwrap_or_default();
        match entry.is_dir() {
            true if name == "solution" || name == "wrong" => {}
            true => key = key_of_folder(&entry, key)?,
            false => key = key.add_file(&entry)?,
        }
    }
    Ok(key)
}

impl Class<'_> {
    /// Returns the pairs of students whose sources share much.
    fn similar(&self, submissions: &[Submission]) -> Vec<Pair> {
        let sources = |submission: &Submission| {
            // Work that cannot be unpacked has a row that says why.
            let folder = submission.unpack(self.context).ok()?.files;
            Some((submission.name.clone(), similar::sources(&folder)))
        };
        let works: Vec<_> = submissions.iter().filter_map(sources).collect();
        similar::pairs(&works)
    }

    /// Judges all students, several at once. Returns their rows, and what has changed for whom.
    fn judge_all(&self, submissions: Vec<Submission>) -> Results {
        let count = submissions.len();
        let queue = Mutex::new(submissions.into_iter().collect::<VecDeque<_>>());
        let done = Mutex::new(Results::default());
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.args.jobs.map_or(processors, usize::from).min(count);
        let work = || {
            loop {
                let next = queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                let Some(submission) = next else { break };
                if self.interrupted.load(Ordering::Relaxed) {
                    break;
                }
                let (row, change) = self.student(&submission);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                let at = done.rows.len() + 1;
                self.context.ui.done();
                self.context.ui.say(&format!(
                    "{at}/{count}  {}: {}{}",
                    koru_klog::escape_control_chars(&row.student),
                    row.findings.score(),
                    row.problem.as_ref().map_or("", |_| " (not judged)"),
                ));
                if let Some(change) = change {
                    done.changes.push((row.student.clone(), change));
                }
                done.rows.push(row);
            }
        };
        thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(work);
            }
        });
        let mut results = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.rows.sort_by(|a, b| a.student.cmp(&b.student));
        results.changes.sort();
        results
    }

    /// Returns the row of a student, and what has changed since an earlier run. Whatever goes
    /// wrong is part of the row.
    fn student(&self, submission: &Submission) -> (Row, Option<String>) {
        let begun = Instant::now();
        let kept = self
            .out
            .join(KEPT)
            .join(format!("{}.json", file_name(&submission.name)));
        let old = Row::read(&kept);
        let seed = Seed::of(&submission.name);
        let judged = catch_unwind(AssertUnwindSafe(|| {
            self.judge(submission, seed, old.as_ref())
        }));
        let judged = judged.unwrap_or_else(|_| {
            let message = "koru itself failed; the other students are judged all the same";
            Err(Error::new(Kind::System, "judging", message))
        });
        let mut row = judged.unwrap_or_else(|error| Row {
            student: submission.name.clone(),
            key: String::new(),
            seed: seed.0,
            findings: self.nothing(submission, &error),
            problem: Some(problem(&error)),
            seconds: 0.0,
        });
        if row.seconds == 0.0 {
            row.seconds = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        }
        if !row.findings.interrupted {
            if let Err(e) = row.write(&kept) {
                self.context.ui.print(&format!("koru: {e}"));
            }
        }
        let change = old.and_then(|old| row.difference(&old));
        (row, change)
    }

    fn judge(&self, submission: &Submission, seed: Seed, old: Option<&Row>) -> Result<Row> {
        // What is known about one student's module must not explain another one's oops.
        let context = Context::new(false, true, false, &self.args.rules)?;
        let contract = folders::read_shown(&context, &self.contract, seed)?;
        let work = submission.unpack(&context)?;
        let key = Key::default().with(&self.key).with(&work.hash);
        let key = key.with(seed.0.to_string()).hex();
        if let Some(old) = old.filter(|old| old.key == key && !self.args.again) {
            return Ok(old.clone());
        }
        let judging = Judging {
            context: &context,
            contract: &contract,
            filters: &[],
            limit: Some(Duration::from_secs(self.args.limit.into())),
            interrupted: self.interrupted.clone(),
        };
        let mut findings = build_and_judge(&judging, &self.tree, &work.module)?;
        findings.rename(&work.module.display().to_string(), &submission.name);
        Ok(Row {
            student: submission.name.clone(),
            key,
            seed: seed.0,
            findings,
            problem: None,
            seconds: 0.0,
        })
    }

    /// Returns the findings about a student with whose work nothing could be done.
    fn nothing(&self, submission: &Submission, error: &Error) -> Findings {
        let contract =
            folders::read_shown(self.context, &self.contract, Seed::of(&submission.name));
        let why = format!("not judged: {}", error.message);
        match contract {
            Ok(contract) => {
                Findings::untried(&contract, &submission.name, &self.tree.release, &why)
            }
            Err(_) => Findings::empty(&submission.name, &self.tree.release),
        }
    }
}

fn problem(error: &Error) -> String {
    let output = error.output.as_deref().unwrap_or_default();
    format!("{}: {}\n{output}", error.context, error.message)
        .trim()
        .to_owned()
}
