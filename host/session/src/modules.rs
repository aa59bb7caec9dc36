// SPDX-License-Identifier: MIT OR Apache-2.0

//! Loads and unloads modules.

use std::{
    sync::{atomic::Ordering, mpsc::RecvTimeoutError},
    time::{Duration, Instant},
};

use koru_klog::{Complaint, first_complaint, overdue, still_registered};
use koru_protocol::{
    Call, Inside, LogRecord, Look, ModuleOutcome, ModuleResult, ModuleRow, ModuleSections, Reply,
    ToHost,
};

use crate::{
    Error, Result, Session,
    calls::{refused, unexpected},
};

impl Session {
    /// Loads a module from a file on the target. The `params` are `key=value`; a value that
    /// contains blanks is quoted as the kernel expects it.
    ///
    /// Waits for the module's init for up to a minute as long as the init sleeps. An init that
    /// keeps the processor busy instead counts as a hang.
    pub fn load(&self, path: &str, params: &[String]) -> Result<ModuleReport> {
        self.load_as(path, params, None)
    }

    /// Does all the steps of a load up to the one at which the kernel reads the module's file,
    /// which it cannot. An emulated guest has to translate the code of each step once, so its
    /// next load is faster: 0.1 s less under TCG.
    pub fn rehearse_load(&self) -> Result<()> {
        // The kernel refuses what is no regular file before it says or changes anything.
        let (what, file) = ("prepare for a load", "/dev/null");
        self.module_call(what, module_of(file), load_call(file, &[], None))?;
        Ok(())
    }

    /// Loads a module like [`Session::load`], and has the agent unload the module called
    /// `name` when the session ends, however it ends. This is for a machine that keeps running
    /// after the session.
    pub fn load_transient(
        &self,
        path: &str,
        name: &str,
        params: &[String],
    ) -> Result<ModuleReport> {
        self.load_as(path, params, Some(name))
    }

    fn load_as(
        &self,
        path: &str,
        params: &[String],
        unload_on_disconnect: Option<&str>,
    ) -> Result<ModuleReport> {
        let what = format!("load {}", module_of(path));
        let call = load_call(path, params, unload_on_disconnect);
        let outcome = self.module_call(&what, module_of(path), call)?;
        if outcome.result == ModuleResult::Ok {
            self.remember_sections();
        }
        self.loaded(path, outcome)
    }

    /// Returns the result of loading a file, from the outcome that the agent reported.
    pub(crate) fn loaded(&self, path: &str, outcome: ModuleOutcome) -> Result<ModuleReport> {
        let module = module_of(path);
        let records = self.records(outcome.log_from, outcome.log_to);
        match outcome.result {
            ModuleResult::Ok => Ok(ModuleReport::new(records)),
            ModuleResult::Refused(errno) => {
                let is_it = |row: &ModuleRow| row.name == module.replace('-', "_");
                let rows = self.list().unwrap_or_default();
                Err(Error::LoadFailed {
                    is_loaded: rows.iter().any(is_it),
                    module: module.into(),
                    errno,
                    records,
                })
            }
            ModuleResult::Killed => Err(killed(format!("load {module}"), records)),
        }
    }

    /// Remembers where the module is that was loaded last. After its unload, nobody can say what
    /// was at an address.
    fn remember_sections(&self) {
        if let Ok(Reply::Sections(sections)) = self.quick("look", Call::Sections) {
            self.state().sections.push(sections);
        }
    }

    /// Returns where the modules were in memory that were loaded over this connection, the last
    /// one first.
    pub fn sections(&self) -> Vec<ModuleSections> {
        self.state().sections.iter().rev().cloned().collect()
    }

    /// Unloads a module.
    pub fn unload(&self, name: &str) -> Result<ModuleReport> {
        let outcome = self.module_call(&format!("unload {name}"), name, unload_call(name))?;
        self.unloaded(name, outcome)
    }

    /// Returns the result of unloading a module, from the outcome that the agent reported.
    pub(crate) fn unloaded(&self, name: &str, outcome: ModuleOutcome) -> Result<ModuleReport> {
        let module = name.replace('-', "_");
        let records = self.records(outcome.log_from, outcome.log_to);
        match outcome.result {
            ModuleResult::Ok => Ok(ModuleReport::new(records)),
            ModuleResult::Refused(errno) => {
                let rows = self.list().unwrap_or_default();
                let is_it = |row: &&ModuleRow| row.name == module;
                Err(Error::UnloadFailed {
                    permanent: rows.iter().find(is_it).is_some_and(|row| row.permanent),
                    module,
                    errno,
                    records,
                })
            }
            ModuleResult::Killed => Err(killed(format!("unload {name}"), records)),
        }
    }

    fn module_call(&self, what: &str, module: &str, call: Call) -> Result<ModuleOutcome> {
        const LIMIT: Duration = Duration::from_secs(60);
        let limit = LIMIT.max(self.shared.hang * 2);
        let mut stay = StayCheck::from_now(self);
        let (id, answers) = self.start_call_with_channel(call)?;
        let _busy = self.busy(id, what, false);
        let mut watch = Watch::new(limit);
        loop {
            let answer = match answers.recv_timeout(Duration::from_millis(500)) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Disconnected) => return Err(self.death_error()),
                Err(RecvTimeoutError::Timeout) => {
                    let progress =
                        stay.check(self, what)
                            .and_then(|()| match self.is_hang_detection_off() {
                                true => Ok(()),
                                false => self.check_progress(what, id, &mut watch),
                            });
                    if let Err(mut end) = progress {
                        if let Error::Timeout { stack, inside, .. } = &mut end {
                            *stack = self.look(id).map(|l| l.stack).unwrap_or_default();
                            *inside = self.inside(module, id).unwrap_or_default();
                        }
                        self.abandon(id);
                        return Err(end);
                    }
                    continue;
                }
            };
            let ToHost::Reply { reply, .. } = answer else {
                continue;
            };
            let Ok(Reply::Module(outcome)) = reply else {
                let errno = reply.err().unwrap_or(0);
                return Err(refused(what, errno));
            };
            return Ok(outcome);
        }
    }

    /// Checks that a load or an unload makes progress. A guest with several processors keeps
    /// running while one of them spins in a module: its heartbeats continue, and only the
    /// state of the process shows the hang. (The processor time of the process does not: it
    /// stands still while interrupts are off.)
    fn check_progress(&self, what: &str, id: u64, watch: &mut Watch) -> Result<()> {
        // No answer means that nothing runs in the guest, which the guest's owner notices.
        let look = self.look(id).ok();
        match &look {
            Some(look) if look.state != 'R' => watch.slept = Instant::now(),
            _ => {}
        }
        let spins = look.is_some() && watch.slept.elapsed() >= self.shared.hang;
        // A real machine cannot be asked by an NMI, but its own watchdogs may report the hang.
        if spins && self.machine().is_none() {
            return Err(self.report_hang(what));
        }
        let is_patient = self.shared.patient.load(Ordering::Relaxed);
        if is_patient || watch.start.elapsed() < watch.limit {
            return Ok(());
        }
        Err(watch.timeout(what, Vec::new()))
    }

    /// Returns the tasks in the module's code, except for the one behind this call.
    pub(crate) fn inside(&self, module: &str, of: u64) -> Result<Vec<Inside>> {
        let module = module.replace('-', "_");
        match self.quick("look", Call::Inside { module, of })? {
            Reply::Inside(inside) => Ok(inside),
            _ => Err(unexpected("look")),
        }
    }

    pub(crate) fn look(&self, of: u64) -> Result<Look> {
        match self.quick("look", Call::Look { of })? {
            Reply::Look(look) => Ok(look),
            _ => Err(unexpected("look")),
        }
    }

    /// Makes a call that is answered at once, if anything runs on the target.
    pub(crate) fn quick(&self, what: &str, call: Call) -> Result<Reply> {
        let (id, answers) = self.start_call_with_channel(call)?;
        let answer = self.next(&answers, what, Duration::from_secs(2));
        if answer.is_err() {
            self.abandon(id);
        }
        match answer? {
            ToHost::Reply {
                reply: Ok(reply), ..
            } => Ok(reply),
            _ => Err(unexpected(what)),
        }
    }
}

fn module_of(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".ko").unwrap_or(file)
}

pub(crate) fn load_call(path: &str, params: &[String], unload_on_disconnect: Option<&str>) -> Call {
    Call::Load {
        path: path.into(),
        params: params.iter().map(|p| quote_parameter(p)).collect(),
        unload_on_disconnect: unload_on_disconnect.map(|name| name.replace('-', "_")),
    }
}

pub(crate) fn unload_call(name: &str) -> Call {
    // The kernel knows modules by their names with underscores.
    let name = name.replace('-', "_");
    Call::Unload { name }
}

/// The times of a load or an unload in progress.
struct Watch {
    start: Instant,
    limit: Duration,
    /// When the process that loads or unloads was last seen not running.
    slept: Instant,
}

impl Watch {
    fn new(limit: Duration) -> Self {
        let start = Instant::now();
        Watch {
            start,
            limit,
            slept: start,
        }
    }

    fn timeout(&self, what: &str, records: Vec<LogRecord>) -> Error {
        Error::Timeout {
            what: what.into(),
            after: self.start.elapsed(),
            stack: String::new(),
            inside: Vec::new(),
            records,
        }
    }
}

/// Checks whether a module that is being loaded or unloaded has logged that it has to stay, or
/// what it waits for.
pub(crate) struct StayCheck {
    from: u64,
    watch: Watch,
    /// When the check first saw such a message.
    first_seen: Option<Instant>,
}

impl StayCheck {
    pub fn from_now(session: &Session) -> StayCheck {
        StayCheck {
            from: session.last_record().map_or(0, |r| r.seq + 1),
            watch: Watch::new(Duration::MAX),
            first_seen: None,
        }
    }

    /// Returns an error when the reply will not come. The caller calls this now and then while
    /// the reply is outstanding.
    pub fn check(&mut self, session: &Session, what: &str) -> Result<()> {
        /// The module may drop the rest after all, or what it waits for may come.
        const AFTER: Duration = Duration::from_secs(3);
        let records = session.log_since(self.from);
        let stays = still_registered(&records);
        // A module that waits for somebody at a breakpoint will continue.
        let waits = !session.is_hang_detection_off() && overdue(&records).is_some();
        if stays.is_none() && !waits {
            return Ok(());
        }
        if self.first_seen.get_or_insert_with(Instant::now).elapsed() < AFTER {
            return Ok(());
        }
        Err(match stays {
            Some(complaint) => Error::StillRegistered {
                what: what.into(),
                complaint,
                records,
            },
            None => self.watch.timeout(what, records),
        })
    }
}

fn killed(what: String, records: Vec<LogRecord>) -> Error {
    let complaint = first_complaint(&records).unwrap_or(Complaint {
        kind: koru_klog::ComplaintKind::Oops,
        line: "it killed the process that loaded or unloaded the module".into(),
    });
    Error::Complaint {
        what,
        complaint,
        records,
    }
}

/// Quotes the value of a parameter if it contains blanks, because the kernel splits parameters
/// at blanks outside of quotes.
pub fn quote_parameter(param: &str) -> String {
    match param.split_once('=') {
        Some((key, value)) if value.contains(char::is_whitespace) && !value.starts_with('"') => {
            format!("{key}=\"{value}\"")
        }
        _ => param.into(),
    }
}

/// What loading or unloading a module left in the log.
#[derive(Debug, Clone)]
pub struct ModuleReport {
    /// The records from the request to its completion.
    pub records: Vec<LogRecord>,
    /// The complaint (mostly a warning) of a kernel that did what was asked nevertheless.
    pub complaint: Option<Complaint>,
}

impl ModuleReport {
    fn new(records: Vec<LogRecord>) -> Self {
        ModuleReport {
            complaint: first_complaint(&records),
            records,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quote_parameter;

    #[test]
    fn values_with_blanks_are_quoted() {
        assert_eq!(quote_parameter("who=koru"), "who=koru");
        assert_eq!(
            quote_parameter("who=the whole world"),
            "who=\"the whole world\""
        );
        assert_eq!(quote_parameter("who=\"as it is\""), "who=\"as it is\"");
        assert_eq!(quote_parameter("flag"), "flag");
    }
}
