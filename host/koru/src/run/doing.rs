// SPDX-License-Identifier: MIT OR Apache-2.0

//! Says what a run is doing: where it waits, or with which file it does not come to an end.

use std::{cell::OnceCell, sync::Arc, thread, time::Duration};

use indicatif::{DecimalBytes, HumanCount};
use koru_decode::Decoder;
use koru_protocol::Inventory;
use koru_session::{Endless, EndlessUse, Session, Waiting};

use crate::{context::Context, log::oops};

/// What a run does at some moment.
pub struct Doing {
    /// What it does, without the numbers that grow.
    pub what: String,
    /// What it does, with its numbers.
    pub phrase: String,
    /// How long this has taken so far.
    pub after: Duration,
}

/// The modules that are looked at.
#[derive(Default)]
pub struct Subject {
    pub modules: Vec<String>,
    /// What there was before their load, where that is known.
    pub before: Option<Arc<Inventory>>,
}

/// Looks at a run.
pub struct Look<'a> {
    context: &'a Context,
    session: &'a Session,
    find: &'a (dyn Fn() -> Subject + Sync),
    subject: Subject,
    endless: Endless,
    decoder: OnceCell<Decoder>,
    /// Where a task was seen in a module's code.
    seen: Option<String>,
}

impl<'a> Look<'a> {
    /// Prepares to look at a run of the modules that `find` returns.
    pub fn new(
        context: &'a Context,
        session: &'a Session,
        find: &'a (dyn Fn() -> Subject + Sync),
    ) -> Look<'a> {
        Look {
            context,
            session,
            find,
            subject: Subject::default(),
            endless: Endless::default(),
            decoder: OnceCell::new(),
            seen: None,
        }
    }

    /// Returns what the run does now, however long it has done that, looking twice if needed.
    pub fn doing_now(&mut self, pause: Duration) -> Option<Doing> {
        let is_first = !self.endless.has_looked();
        let doing = self.doing(Duration::ZERO);
        if !is_first || !self.endless.has_looked() {
            return doing;
        }
        thread::sleep(pause);
        self.doing(Duration::ZERO)
    }

    /// Returns what has been in progress for `least`, if it is known to be in the hands of a
    /// module. A command that is not may take as long as it likes.
    pub fn doing(&mut self, least: Duration) -> Option<Doing> {
        let subject = &mut self.subject;
        let modules = || {
            let found = (self.find)();
            if found.modules != subject.modules {
                // The decoder knows the modules that were loaded when it was made.
                self.decoder.take();
            }
            *subject = found;
            subject.modules.clone()
        };
        let waiting = self.session.waiting(modules, least)?;
        let is_first = !self.endless.has_looked();
        let used = match &self.subject.before {
            Some(before) if !waiting.is_load() => self.endless.look(self.session, before),
            _ => None,
        };
        if let Some(place) = waiting.place.as_ref().filter(|_| !waiting.is_load()) {
            self.seen = Some(self.function_at(place));
        }
        // The task may be in the module's code for a moment only, which the next look shows.
        if is_first && self.endless.has_looked() {
            return None;
        }
        let (what, numbers, advice) = match used {
            Some(used) => self.endless_use(&waiting, &used),
            None if waiting.is_load() || waiting.task.is_some() => {
                (self.place(&waiting), String::new(), String::new())
            }
            None => return None,
        };
        Some(Doing {
            phrase: format!("{what}{numbers}{advice}"),
            what,
            after: waiting.after,
        })
    }

    /// Says where something is: `load mtx waits in helper (mtx.c:6), which called mutex_lock`.
    fn place(&self, waiting: &Waiting) -> String {
        let who = who(waiting, waiting.task.as_deref());
        match &waiting.place {
            Some(place) if waiting.runs => format!("{who} runs in {}", self.function_at(place)),
            Some(place) => self.decoder().sentence(&format!("{who} waits in {place}")),
            None if waiting.runs => format!("{who} runs"),
            None => format!("{who} waits"),
        }
    }

    /// Returns the function and the line of a place to which a call returns.
    fn function_at(&self, place: &str) -> String {
        let sentence = self.decoder().sentence(&format!("called by {place}"));
        sentence.trim_start_matches("called by ").to_owned()
    }

    /// Says what does not end, how far it is, and what the module has to do.
    fn endless_use(&self, waiting: &Waiting, used: &EndlessUse) -> (String, String, String) {
        let verb = match used.is_write {
            true => "writing to",
            false => "reading",
        };
        let who = who(waiting, Some(&used.task));
        let what = format!("{who} keeps {verb} {}", used.path);
        let numbers = match used.is_moving {
            true => format!(": {} so far", DecimalBytes(used.bytes)),
            false => format!(": {} calls so far, without a byte", HumanCount(used.calls)),
        };
        let advice = match (used.is_write, used.is_moving) {
            (false, true) => self.end_of_file(&used.path),
            (true, true) => format!(
                "; when it takes no more, {} must return an error",
                self.write_function(&used.path)
            ),
            (true, false) => format!(
                "; {} must return the number of bytes that it has taken, or an error",
                self.write_function(&used.path)
            ),
            // The reads may fail, or there may be nothing to read yet.
            (false, false) => String::new(),
        };
        (what, numbers, advice)
    }

    /// Says what the module has to do at the end of a file.
    fn end_of_file(&self, path: &str) -> String {
        let read = match path.starts_with("/proc/") {
            true => self.function("proc_ops", &["proc_read", "proc_read_iter"]),
            false => self.function("file_operations", &["read", "read_iter"]),
        };
        // The kernel itself reads a sequence file, whose lines come from the module.
        let next = || self.function("seq_operations", &["next"]);
        let must = match read {
            Some(read) => format!("{read} must return 0"),
            None => match next() {
                Some(next) => format!("{next} must return NULL"),
                None => format!("{} must return 0", self.unknown("a read")),
            },
        };
        format!("; at the end of the file, {must}")
    }

    fn write_function(&self, path: &str) -> String {
        let write = match path.starts_with("/proc/") {
            true => self.function("proc_ops", &["proc_write"]),
            false => self.function("file_operations", &["write", "write_iter"]),
        };
        write.unwrap_or_else(|| self.unknown("a write"))
    }

    /// Names a call whose function is not known, by where it was seen.
    fn unknown(&self, call: &str) -> String {
        match &self.seen {
            Some(seen) => format!("{call} (seen in {seen})"),
            None => call.to_owned(),
        }
    }

    /// Returns the only function that the modules have for an operation of their files.
    fn function(&self, structure: &str, members: &[&str]) -> Option<String> {
        let mut modules = self.subject.modules.iter();
        modules.find_map(|module| self.decoder().operation(module, structure, members))
    }

    fn decoder(&self) -> &Decoder {
        self.decoder.get_or_init(|| oops::decoder(self.context))
    }
}

/// Returns who does it: `load mtx`, `cat (process 70)` or `sh (cat, process 70)`.
fn who(waiting: &Waiting, task: Option<&str>) -> String {
    let name = waiting.what.rsplit('/').next().unwrap_or_default();
    match task {
        Some(task) => {
            let own = task.strip_prefix(name).and_then(|t| t.strip_prefix(", "));
            format!("{} ({})", waiting.what, own.unwrap_or(task))
        }
        None => waiting.what.clone(),
    }
}
