// SPDX-License-Identifier: MIT OR Apache-2.0

//! Carries out the steps of a promise in a guest.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use koru_judge::{
    Action, Broken, Explained, LogLine, Planned, Raw, SHARED, Step, Together, Variables,
    error_words,
};
use koru_klog::{ComplaintKind, LogRecord, first_complaint};
use koru_protocol::Inventory;
use koru_session::{Error, LogStream, Result, Session, load_message};

use super::{
    calls::{call_of, hex},
    guest_process::{Answer, GuestProcess, NOBODY, nonce, results},
};
use crate::guest::module_path;

/// How long to look for an answer before looking for other things.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a call may continue after an oops.
const AFTER_OOPS: Duration = Duration::from_secs(1);

/// The number of log records of a promise after which it is given up. A module may log in a loop.
pub const MOST_RECORDS: usize = 20_000;

/// The steps of one promise in a guest.
pub struct Player<'a> {
    session: &'a Session,
    module: &'a str,
    /// The inventory before the promise.
    before: &'a Inventory,
    interrupted: &'a AtomicBool,
    /// When the promise is given up.
    end: Instant,
    /// Where the promise's part of the log begins.
    mark: u64,
    log: LogStream,
    /// The number of records so far.
    records: usize,
    oopsed: Option<Instant>,
    processes: HashMap<String, GuestProcess>,
    /// The parents of processes that were forked.
    parents: HashMap<String, String>,
    /// The calls that block, by process and thread.
    blocked: BTreeMap<(String, String), String>,
    variables: Variables,
    /// Whether the module was loaded at some time.
    pub was_loaded: bool,
    /// Why a step was found neither kept nor broken.
    pub undecided: Option<String>,
}

/// Why a promise is not kept: the broken step, by its index.
pub struct BrokenStep {
    pub index: usize,
    pub broken: Broken,
}

impl<'a> Player<'a> {
    pub fn new(
        session: &'a Session,
        module: &'a str,
        before: &'a Inventory,
        mark: u64,
        limit: Duration,
        interrupted: &'a AtomicBool,
    ) -> Player<'a> {
        Player {
            session,
            module,
            before,
            interrupted,
            end: Instant::now() + limit,
            mark,
            log: session.follow(mark),
            records: 0,
            oopsed: None,
            processes: HashMap::new(),
            parents: HashMap::new(),
            blocked: BTreeMap::new(),
            variables: Variables::new(),
            was_loaded: false,
            undecided: None,
        }
    }

    /// Carries out steps until one is not kept.
    pub fn play(&mut self, steps: &[Step]) -> Result<Option<BrokenStep>> {
        for (index, step) in steps.iter().enumerate() {
            if let Err(broken) = self.step(step)? {
                return Ok(Some(BrokenStep { index, broken }));
            }
        }
        Ok(None)
    }

    /// Ends all processes. Returns whether they ended. After an oops, some may wait for ever.
    pub fn end_processes(&mut self) -> bool {
        if self.oopsed.is_some() {
            return false;
        }
        let mut all = true;
        for (_, process) in self.processes.drain() {
            all &= process.end();
        }
        all
    }

    /// Returns whether the module has logged more than a report can use.
    pub fn floods(&self) -> bool {
        self.records > MOST_RECORDS
    }

    fn step(&mut self, step: &Step) -> Result<Result<(), Broken>> {
        self.look_into_log()?;
        if self.floods() {
            return Ok(flood());
        }
        match &step.action {
            Action::Load { parameters } => {
                let loaded = self.load(parameters);
                self.module_step(step, loaded)
            }
            Action::Unload => {
                let unloaded = self.unload();
                self.module_step(step, unloaded)
            }
            Action::Wait(time) => Ok(self.wait(*time)),
            Action::Log(line) => self.find_line(line, step.within),
            Action::Module { loaded } => {
                let rows = self.session.list()?;
                let is_there = rows.iter().any(|row| row.name == self.module);
                let state = |there: bool| match there {
                    true => format!("/proc/modules has {}", self.module),
                    false => format!("/proc/modules does not have {}", self.module),
                };
                Ok(keeps(is_there == *loaded, || {
                    (state(*loaded), state(is_there))
                }))
            }
            Action::NothingLeft => {
                let left = self.session.left_behind(self.before, None)?.sentence();
                Ok(keeps(left.is_none(), || {
                    ("nothing is left".into(), left.unwrap_or_default())
                }))
            }
            Action::Finish => {
                let key = (step.process.clone(), step.thread.clone());
                match self.blocked.remove(&key) {
                    Some(nonce) => self.judged(step, &nonce),
                    None => Ok(broken("a call that blocks", "no call blocks there")),
                }
            }
            Action::Fork { child } => {
                let kept = self.call(step, &format!("fork {child}"))?;
                self.parents.insert(child.clone(), step.process.clone());
                Ok(kept)
            }
            Action::Pass { file, to, new } => self.pass(step, file, to, new),
            Action::Together(together) => self.together(step, together),
            action => match call_of(action) {
                Some(call) => self.call(step, &call),
                None => Ok(Ok(())),
            },
        }
    }

    pub fn session(&self) -> &'a Session {
        self.session
    }

    /// Loads the module. The error inside is the error number, and its words.
    pub fn load(&mut self, parameters: &[String]) -> Result<Result<(), (i32, String)>> {
        match self.session.load(&module_path(self.module), parameters) {
            Ok(_) => {
                self.was_loaded = true;
                Ok(Ok(()))
            }
            Err(Error::LoadFailed { errno, records, .. }) => {
                Ok(Err((errno, load_message(errno, &records))))
            }
            Err(e) => Err(e),
        }
    }

    /// Unloads the module.
    pub fn unload(&mut self) -> Result<Result<(), (i32, String)>> {
        match self.session.unload(self.module) {
            Ok(_) => Ok(Ok(())),
            Err(Error::UnloadFailed { errno, .. }) => Ok(Err((errno, error_words(errno)))),
            Err(e) => Err(e),
        }
    }

    fn module_step(
        &mut self,
        step: &Step,
        done: Result<Result<(), (i32, String)>>,
    ) -> Result<Result<(), Broken>> {
        let done = done?;
        let raw = Raw {
            result: done.as_ref().map(|()| 0).map_err(|(errno, _)| *errno),
            begin_ns: 0,
            end_ns: 0,
            bytes: Vec::new(),
        };
        let judged = step.judge(&raw, &mut self.variables);
        // The kernel's message says more than the number.
        Ok(judged.map_err(|broken| match done {
            Err((_, words)) => Broken {
                seen: words,
                ..broken
            },
            Ok(()) => broken,
        }))
    }

    fn wait(&self, time: Duration) -> Result<(), Broken> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if self.is_over() {
                return Err(self.out_of_time());
            }
            thread::sleep(PAUSE.min(end.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || Instant::now() >= self.end
    }

    fn out_of_time(&self) -> Broken {
        Broken {
            promised: "all steps are done in time".to_owned(),
            seen: "the time for this promise was over".to_owned(),
        }
    }

    /// Looks for a line of the log, which may come a little later.
    fn find_line(&mut self, line: &LogLine, within: Duration) -> Result<Result<(), Broken>> {
        let end = Instant::now() + within;
        loop {
            // What was logged before has arrived then.
            self.session.mark()?;
            let mut records = self.session.log_since(self.mark);
            records.truncate(MOST_RECORDS);
            let own: Vec<&LogRecord> = records.iter().filter(|r| r.facility == 0).collect();
            let variables = &mut self.variables;
            let found = own.iter().any(|r| line.is(r.level, &r.text, variables));
            if found != line.absent {
                return Ok(Ok(()));
            }
            if line.absent || Instant::now() >= end || self.is_over() {
                let last: Vec<String> = own.iter().rev().take(5).map(|r| r.text.clone()).collect();
                let last: Vec<String> = last.into_iter().rev().collect();
                let seen = match &last[..] {
                    [] => "nothing was logged".to_owned(),
                    lines => format!("the last lines are: {}", lines.join(" / ")),
                };
                return Ok(broken(&line.promised(), &seen));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Does a call in a process of the guest.
    pub(super) fn call(&mut self, step: &Step, call: &str) -> Result<Result<(), Broken>> {
        let key = (step.process.clone(), step.thread.clone());
        if self.blocked.contains_key(&key) {
            let promised = "an earlier call of this thread has ended";
            return Ok(broken(promised, "it still blocks"));
        }
        let (root, child) = self.path(&step.process);
        let process = self.process(&root)?;
        let nonce = process.send(&child, &step.thread, call);
        if step.blocks {
            let process = self.process(&root)?;
            return Ok(match process.answer(&nonce, step.within) {
                Answer::NotYet => {
                    self.blocked.insert(key, nonce);
                    Ok(())
                }
                Answer::Came(raw) => {
                    let seen = match raw.result {
                        Ok(result) => format!("it returned {result} at once"),
                        Err(errno) => format!("it failed at once: {}", error_words(errno)),
                    };
                    broken("the call blocks", &seen)
                }
                Answer::ProcessEnded => broken("the call blocks", "the process was ended"),
            });
        }
        self.judged(step, &nonce)
    }

    /// Does the calls of several threads at once, and compares what they led to with the model.
    fn together(&mut self, step: &Step, together: &Together) -> Result<Result<(), Broken>> {
        let plan = together.plan();
        // No process of a contract has a space in its name.
        let actors: Vec<String> = (1..=together.processes)
            .map(|number| format!("together {number}"))
            .collect();
        let (flags, path) = (together.flags, hex(together.path.as_bytes()));
        // All threads begin when this file exists. Nobody can guess its name.
        let gate = format!("/tmp/begin-{}", nonce());
        for actor in &actors {
            let open = format!("open {SHARED} {flags} 0 {path}");
            if let Err(broken) = self.succeeds(step, actor, &open)? {
                return Ok(Err(broken));
            }
        }
        let mut sent = Vec::new();
        for (number, calls) in plan.iter().enumerate() {
            let actor = &actors[number / together.threads];
            let call = |planned: &Planned| call_of(&planned.action(together));
            let calls: Vec<String> = calls.iter().filter_map(call).collect();
            let many = format!("many {gate} {}", hex(calls.join("\n").as_bytes()));
            let thread = format!("t{number}");
            sent.push((actor, self.process(actor)?.send("", &thread, &many)));
        }
        // A process that answers this has read what was sent before.
        for actor in &actors {
            if let Err(broken) = self.succeeds(step, actor, &format!("run {}", hex(b"true")))? {
                return Ok(Err(broken));
            }
        }
        let touch = format!("run {}", hex(format!("touch {gate}").as_bytes()));
        if let Err(broken) = self.succeeds(step, &actors[0], &touch)? {
            return Ok(Err(broken));
        }
        let mut raws = Vec::new();
        for (calls, (actor, nonce)) in plan.iter().zip(&sent) {
            let raw = match self.answered(step, actor, nonce)? {
                Ok(raw) => raw,
                Err(broken) => return Ok(Err(broken)),
            };
            match results(&raw.bytes).filter(|all| all.len() == calls.len()) {
                Some(all) => raws.push(all),
                None => return Ok(broken("each call has a result", "some have none")),
            }
        }
        for actor in &actors {
            if let Err(broken) = self.succeeds(step, actor, &format!("close {SHARED}"))? {
                return Ok(Err(broken));
            }
        }
        Ok(match together.judge(&plan, &raws) {
            Explained::Yes => Ok(()),
            Explained::No(broken) => Err(broken),
            Explained::Undecided(why) => {
                self.undecided = Some(why);
                Ok(())
            }
        })
    }

    /// Does a call of a process of the session's own, which has to succeed.
    fn succeeds(&mut self, step: &Step, root: &str, call: &str) -> Result<Result<(), Broken>> {
        let nonce = self.process(root)?.send("", "t", call);
        Ok(match self.answered(step, root, &nonce)? {
            Ok(raw) => match raw.result {
                Ok(_) => Ok(()),
                Err(errno) => broken("success", &error_words(errno)),
            },
            Err(broken) => Err(broken),
        })
    }

    /// Waits for the answer to a call, and compares it with what was promised.
    fn judged(&mut self, step: &Step, nonce: &str) -> Result<Result<(), Broken>> {
        let (root, _) = self.path(&step.process);
        let answered = self.answered(step, &root, nonce)?;
        Ok(answered.and_then(|raw| step.judge(&raw, &mut self.variables)))
    }

    /// Waits for the answer to a call of a process.
    pub(super) fn answered(
        &mut self,
        step: &Step,
        root: &str,
        nonce: &str,
    ) -> Result<Result<Raw, Broken>> {
        let end = Instant::now() + step.within;
        loop {
            match self.process(root)?.answer(nonce, PAUSE) {
                Answer::Came(raw) => return Ok(Ok(raw)),
                Answer::ProcessEnded => {
                    return Ok(broken("the call returns", "its process was ended"));
                }
                Answer::NotYet => {}
            }
            if let Some(death) = self.session.death() {
                let what = step.words.clone();
                return Err(Error::Host(koru_error::Error::new(
                    koru_error::Kind::System,
                    what,
                    format!("the virtual machine ended: {death:?}"),
                )));
            }
            self.look_into_log()?;
            if self.floods() {
                return Ok(flood());
            }
            if self.oopsed.is_some_and(|at| at.elapsed() > AFTER_OOPS) {
                return Ok(broken("the call returns", "the kernel killed the process"));
            }
            if Instant::now() >= end {
                let seen = format!("it had not returned after {:?}", step.within);
                return Ok(broken("the call returns", &seen));
            }
            if self.is_over() {
                return Ok(Err(self.out_of_time()));
            }
        }
    }

    /// Looks for an oops in the records that are new, and counts them.
    pub fn look_into_log(&mut self) -> Result<()> {
        let mut records = self.log.next(Duration::ZERO)?;
        self.records += records.len();
        records.truncate(MOST_RECORDS);
        let kind = first_complaint(&records).map(|c| c.kind);
        let is_fatal = matches!(kind, Some(ComplaintKind::Oops | ComplaintKind::Bug));
        if self.oopsed.is_none() && is_fatal {
            self.oopsed = Some(Instant::now());
        }
        Ok(())
    }

    /// Returns the process of the session's own that leads to a process, and the way from there.
    pub(super) fn path(&self, name: &str) -> (String, String) {
        let mut root = name.to_owned();
        let mut way = String::new();
        while let Some(parent) = self.parents.get(&root) {
            way = format!("@{root} {way}");
            root = parent.clone();
        }
        (root, way)
    }

    pub(super) fn process(&mut self, name: &str) -> Result<&mut GuestProcess> {
        if !self.processes.contains_key(name) {
            let uid = (name == "nobody").then_some(NOBODY);
            let process = GuestProcess::start(self.session, uid)?;
            self.processes.insert(name.to_owned(), process);
        }
        let missing = || {
            Error::Host(koru_error::Error::new(
                koru_error::Kind::System,
                format!("starting the process {name}"),
                "it is not there",
            ))
        };
        self.processes.get_mut(name).ok_or_else(missing)
    }
}

fn flood<T>() -> Result<T, Broken> {
    let seen = format!("more than {MOST_RECORDS} lines");
    broken("the module writes few lines to the kernel log", &seen)
}

fn broken<T>(promised: &str, seen: &str) -> Result<T, Broken> {
    Err(Broken {
        promised: promised.to_owned(),
        seen: seen.to_owned(),
    })
}

fn keeps(kept: bool, words: impl FnOnce() -> (String, String)) -> Result<(), Broken> {
    if kept {
        return Ok(());
    }
    let (promised, seen) = words();
    Err(Broken { promised, seen })
}
