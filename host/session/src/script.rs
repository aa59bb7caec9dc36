// SPDX-License-Identifier: MIT OR Apache-2.0

//! The answers to a run that the guest plays by itself.

use std::{
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use koru_klog::Complaint;
use koru_protocol::{Call, Exec, Exit, ModuleOutcome, Reply, Stream, ToGuest, ToHost, encode};

use crate::{
    Error, ModuleReport, ProcessEvent, Result, Session, Sink,
    calls::{REPLY_LIMIT, check_version, refused, unexpected},
    connection::FIRST_SCRIPT_ID,
    modules::{StayCheck, load_call, unload_call},
};

/// A run: a module is loaded, a command runs, the module is unloaded.
#[derive(Debug, Clone)]
pub struct Script {
    /// The `.ko` in the guest.
    pub path: String,
    /// Its parameters, `key=value`.
    pub params: Vec<String>,
    /// What runs while it is loaded. It has no input and no terminal.
    pub command: Option<Exec>,
    /// The module's name.
    pub name: String,
}

/// The ids of the calls of a script, in their order.
const RESUME: u64 = FIRST_SCRIPT_ID;
const TAINT: u64 = FIRST_SCRIPT_ID + 1;
const MARK: u64 = FIRST_SCRIPT_ID + 2;
const LOAD: u64 = FIRST_SCRIPT_ID + 3;
const EXEC: u64 = FIRST_SCRIPT_ID + 4;
const UNLOAD: u64 = FIRST_SCRIPT_ID + 5;
const TAINT_AFTER: u64 = FIRST_SCRIPT_ID + 6;
const MARK_AFTER: u64 = FIRST_SCRIPT_ID + 7;
const POWER_OFF: u64 = FIRST_SCRIPT_ID + 8;

const PLAY: &str = "play a script";

/// A step takes as long as it takes: whether the guest is alive, its heart tells.
const STEP_LIMIT: Duration = Duration::from_secs(u32::MAX as u64);

impl Script {
    /// As the guest reads it. `resume` is the first call.
    pub fn frames(&self, resume: Call) -> Vec<u8> {
        let command = self.command.clone().map(Call::Exec);
        let calls = [
            (RESUME, Some(resume)),
            (TAINT, Some(Call::Taint)),
            (MARK, Some(Call::Mark)),
            (LOAD, Some(load_call(&self.path, &self.params, None))),
            (EXEC, command),
            (UNLOAD, Some(unload_call(&self.name))),
            (TAINT_AFTER, Some(Call::Taint)),
            (MARK_AFTER, Some(Call::Mark)),
            (POWER_OFF, Some(Call::PowerOff)),
        ];
        calls
            .into_iter()
            .filter_map(|(id, call)| Some(ToGuest::Call { id, call: call? }))
            .flat_map(|message| encode(&message))
            .collect()
    }
}

/// A script under way. Its steps are asked for in their order.
pub struct ScriptRun {
    session: Session,
    script: Script,
    mark: u64,
    taint: u64,
}

impl Session {
    /// Waits until the script begins.
    pub fn script_run(&self, script: &Script) -> Result<ScriptRun> {
        let Reply::Ready(ready) = self.answer(RESUME, REPLY_LIMIT, |_| ())? else {
            return Err(unexpected("resume the guest"));
        };
        check_version(&ready)?;
        self.state().ready = Some(ready);
        Ok(ScriptRun {
            taint: self.bits(TAINT)?,
            mark: self.marked(MARK)?,
            session: self.clone(),
            script: script.clone(),
        })
    }

    /// The answer to a call of the script; `take` gets what comes before it.
    fn answer(&self, id: u64, limit: Duration, mut take: impl FnMut(ToHost)) -> Result<Reply> {
        let (sender, events) = channel();
        let mut state = self.state();
        let early = std::mem::take(&mut state.early_replies);
        let (mine, others) = early.into_iter().partition(|(of, _)| *of == id);
        state.early_replies = others;
        let mine: Vec<(u64, ToHost)> = mine;
        let answered = mine.iter().any(|(_, m)| matches!(m, ToHost::Reply { .. }));
        if !answered && state.death.is_none() {
            let later = sender.clone();
            let sink: Sink = Box::new(move |message| _ = later.send(message));
            state.pending.insert(id, sink);
        }
        for (_, message) in mine {
            let _ = sender.send(message);
        }
        drop((state, sender));
        loop {
            match self.next(&events, PLAY, limit)? {
                ToHost::Reply { reply, .. } => {
                    return reply.map_err(|errno| refused(PLAY, errno));
                }
                event => take(event),
            }
        }
    }

    fn bits(&self, id: u64) -> Result<u64> {
        match self.answer(id, STEP_LIMIT, |_| ())? {
            Reply::Taint(bits) => Ok(bits),
            _ => Err(unexpected("read the taint")),
        }
    }

    fn marked(&self, id: u64) -> Result<u64> {
        match self.answer(id, STEP_LIMIT, |_| ())? {
            Reply::Marked(next) => Ok(next),
            _ => Err(unexpected("mark the log")),
        }
    }

    fn module_answer(&self, id: u64, what: &str) -> Result<ModuleOutcome> {
        const LOOK: Duration = Duration::from_millis(500);
        let mut stay = StayCheck::from_now(self);
        let (events, done) = channel();
        // It ends with the guest.
        let session = self.clone();
        thread::spawn(move || _ = events.send(session.answer(id, STEP_LIMIT, |_| ())));
        let reply = loop {
            match done.recv_timeout(LOOK) {
                Ok(reply) => break reply,
                Err(RecvTimeoutError::Timeout) => stay.check(self, what)?,
                Err(RecvTimeoutError::Disconnected) => return Err(self.death_error()),
            }
        };
        match reply? {
            Reply::Module(outcome) => Ok(outcome),
            _ => Err(unexpected(PLAY)),
        }
    }
}

impl ScriptRun {
    /// The sequence number of its first record.
    pub fn mark(&self) -> u64 {
        self.mark
    }

    /// The module was loaded. If not, no command runs, and nothing is unloaded.
    pub fn loaded(&self) -> Result<ModuleReport> {
        let what = format!("load {}", self.script.name);
        let outcome = self.session.module_answer(LOAD, &what)?;
        self.session.loaded(&self.script.path, outcome)
    }

    /// The command ran; `take` gets what it said as it comes.
    pub fn command(&self, mut take: impl FnMut(ProcessEvent)) -> Result<Exit> {
        let reply = self.session.answer(EXEC, STEP_LIMIT, |event| match event {
            ToHost::Started { pid, .. } => take(ProcessEvent::Started(pid)),
            ToHost::Output { stream, bytes, .. } => take(match stream {
                Stream::Stdout => ProcessEvent::Stdout(bytes),
                Stream::Stderr => ProcessEvent::Stderr(bytes),
            }),
            _ => {}
        })?;
        match reply {
            Reply::Exited(exit) => Ok(exit),
            _ => Err(unexpected("run a command")),
        }
    }

    /// The module was unloaded.
    pub fn unloaded(&self) -> Result<ModuleReport> {
        let what = format!("unload {}", self.script.name);
        let outcome = self.session.module_answer(UNLOAD, &what)?;
        self.session.unloaded(&self.script.name, outcome)
    }

    /// Waits for the end of the guest; whether its kernel complained.
    pub fn end(&self) -> Result<Option<Complaint>> {
        let now = self.session.bits(TAINT_AFTER)?;
        let end = self.session.marked(MARK_AFTER)?;
        // It is gone when it has been powered off.
        match self.session.death_error() {
            Error::PoweredOff => Ok(self
                .session
                .complaint_between(self.mark, end, self.taint, now)),
            other => Err(other),
        }
    }
}
