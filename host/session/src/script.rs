// SPDX-License-Identifier: MIT OR Apache-2.0

//! Scripts: runs that the guest plays by itself, and the replies to their calls.

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

/// A script: loads a module, runs a command, and unloads the module.
#[derive(Debug, Clone)]
pub struct Script {
    /// The module, unless the command deals with modules itself.
    pub module: Option<ScriptModule>,
    /// The command that runs while the module is loaded, without input and without a terminal.
    pub command: Option<Exec>,
}

/// The module of a script.
#[derive(Debug, Clone)]
pub struct ScriptModule {
    /// The path of the `.ko` in the guest.
    pub path: String,
    /// The module's parameters, as `key=value`.
    pub params: Vec<String>,
    /// The module's name.
    pub name: String,
}

/// The ids of a script's calls, in their order.
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

/// The time limit of a step: none in practice, because heartbeats show whether the guest is
/// alive.
const STEP_LIMIT: Duration = Duration::from_secs(u32::MAX as u64);

impl Script {
    /// Encodes the script as the guest reads it, with `resume` as the first call.
    pub fn frames(&self, resume: Call) -> Vec<u8> {
        let command = self.command.clone().map(Call::Exec);
        let module = self.module.as_ref();
        let load = module.map(|m| load_call(&m.path, &m.params, None));
        let calls = [
            (RESUME, Some(resume)),
            (TAINT, Some(Call::Taint)),
            (MARK, Some(Call::Mark)),
            (LOAD, load),
            (EXEC, command),
            (UNLOAD, module.map(|m| unload_call(&m.name))),
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

/// A script in progress. The results of its steps have to be asked for in their order.
pub struct ScriptRun {
    session: Session,
    script: Script,
    mark: u64,
    taint: u64,
}

impl Session {
    /// Waits until the script has begun, and returns the run.
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

    /// Waits for the reply to a call of the script; `take` receives the messages that come
    /// before the reply.
    fn answer(&self, id: u64, limit: Duration, mut take: impl FnMut(ToHost)) -> Result<Reply> {
        let (sender, events) = channel();
        let mut state = self.state();
        let early = std::mem::take(&mut state.early_replies);
        let (mine, others) = early.into_iter().partition(|(of, _)| *of == id);
        state.early_replies = others;
        state.early_bytes = 0;
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
        // This thread ends with the guest at the latest.
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
    /// Returns the sequence number of the run's first record.
    pub fn mark(&self) -> u64 {
        self.mark
    }

    /// Waits until the module has been loaded. If loading fails, no command runs and nothing
    /// is unloaded.
    pub fn loaded(&self) -> Result<ModuleReport> {
        let module = self.module()?;
        let what = format!("load {}", module.name);
        let outcome = self.session.module_answer(LOAD, &what)?;
        self.session.loaded(&module.path, outcome)
    }

    fn module(&self) -> Result<&ScriptModule> {
        let module = self.script.module.as_ref();
        module.ok_or_else(|| unexpected("find the script's module"))
    }

    /// Waits until the command has ended; `take` receives the command's events as they come.
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

    /// Waits until the module has been unloaded.
    pub fn unloaded(&self) -> Result<ModuleReport> {
        let module = self.module()?;
        let what = format!("unload {}", module.name);
        let outcome = self.session.module_answer(UNLOAD, &what)?;
        self.session.unloaded(&module.name, outcome)
    }

    /// Waits for the end of the guest, and returns what its kernel complained about, if
    /// anything.
    pub fn end(&self) -> Result<Option<Complaint>> {
        let now = self.session.bits(TAINT_AFTER)?;
        let end = self.session.marked(MARK_AFTER)?;
        // The guest's death is expected here, because the script's last call powers the guest
        // off.
        match self.session.death_error() {
            Error::PoweredOff => Ok(self
                .session
                .complaint_between(self.mark, end, self.taint, now)),
            other => Err(other),
        }
    }
}
