// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the steps of a promise.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use koru_error::Result;
use regex::bytes::{Regex, RegexBuilder};
use toml::de::DeValue;

use crate::{
    expectation::{Expectation, OF_EVERY_CALL, shown},
    expression::{Comparison, Expression},
    fields::{Field, Fields},
    ioctl::ioctl_number,
    layout::{Layout, bytes},
    read_together::together,
    read_words::{errors, open_flags},
    step::{Action, Argument, EVENTS, LEVELS, LogLine, Step},
};

/// The process that does a step which names none.
const MAIN: &str = "main";

/// The name of an open file that a step does not name.
const FILE: &str = "file";

/// How long a step may take that does not say.
const WITHIN: Duration = Duration::from_secs(10);

/// How long a step of several threads may take that does not say.
const TOGETHER_WITHIN: Duration = Duration::from_secs(30);

/// Reads the steps of a promise, if it has some.
pub fn steps(fields: &mut Fields) -> Result<Option<Vec<Step>>> {
    let Some(tables) = fields.tables("steps")? else {
        return Ok(None);
    };
    let mut scene = Scene::default();
    let steps = tables.into_iter().map(|table| scene.step(table));
    steps.collect::<Result<Vec<Step>>>().map(Some)
}

/// What the steps before have made.
#[derive(Default)]
struct Scene {
    /// The paths of the open files, by process and name.
    files: BTreeMap<(String, String), String>,
    /// The names of values.
    values: BTreeSet<String>,
    processes: BTreeSet<String>,
}

impl Scene {
    fn step(&mut self, mut fields: Fields) -> Result<Step> {
        let process = fields.string("by")?.unwrap_or_else(|| MAIN.to_owned());
        let thread = fields.string("thread")?.unwrap_or_else(|| "t".to_owned());
        for name in [&process, &thread] {
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(fields.error(format!("`{name}` is no name of letters and digits")));
            }
        }
        self.processes.insert(process.clone());
        let (action, words) = self.action(&mut fields, &process)?;
        let blocks = fields.boolean("blocks")?.unwrap_or(false);
        let within = fields.duration("within")?.unwrap_or(match action {
            _ if blocks => Duration::from_millis(500),
            Action::Load { .. } | Action::Unload => Duration::from_secs(60),
            Action::Log(_) => Duration::from_secs(2),
            Action::Together(_) => TOGETHER_WITHIN,
            _ => WITHIN,
        });
        let expectation = match &action {
            Action::Load { .. } | Action::Unload => Expectation {
                errors: errors(&mut fields, "error")?,
                ..Expectation::default()
            },
            Action::Wait(_) | Action::Log(_) | Action::Module { .. } | Action::NothingLeft => {
                Expectation::default()
            }
            Action::Fork { .. } | Action::Pass { .. } | Action::Together(_) => {
                Expectation::default()
            }
            action => self.expectation(&mut fields, action)?,
        };
        let step = Step {
            line: fields.text.line(fields.span.start),
            process,
            thread,
            action,
            words: fields.string("say")?.unwrap_or(words),
            within,
            blocks,
            expectation,
        };
        fields.end("this step")?;
        Ok(step)
    }

    fn action(&mut self, fields: &mut Fields, process: &str) -> Result<(Action, String)> {
        if let Some(field) = fields.take("load") {
            let parameters = parameters(fields, field)?;
            let words = match &parameters[..] {
                [] => "load of the module".to_owned(),
                all => format!("load of the module with {}", all.join(" ")),
            };
            return Ok((Action::Load { parameters }, words));
        }
        if fields.boolean("unload")?.is_some() {
            return Ok((Action::Unload, "unload of the module".into()));
        }
        if let Some(time) = fields.duration("wait")? {
            return Ok((Action::Wait(time), format!("wait of {time:?}")));
        }
        if let Some(together) = together(fields)? {
            return Ok(together);
        }
        if let Some(path) = fields.string("open")? {
            let (parsed, flags) = open_flags(fields)?;
            let mode = fields.integer("mode")?.unwrap_or(0o644) as u32 & 0o7777;
            let file = fields.string("as")?.unwrap_or_else(|| FILE.to_owned());
            let key = (process.to_owned(), file.clone());
            self.files.insert(key, path.clone());
            let words = format!("open of {path} ({flags})");
            let flags = parsed;
            return Ok((
                Action::Open {
                    file,
                    path,
                    flags,
                    mode,
                },
                words,
            ));
        }
        if let Some(command) = fields.string("run")? {
            let words = format!("command `{command}`");
            return Ok((Action::Run { command }, words));
        }
        if let Some(child) = fields.string("fork")? {
            let inherited = self.files.iter().filter(|((of, _), _)| of == process);
            let inherited: Vec<_> = inherited
                .map(|((_, file), path)| ((child.clone(), file.clone()), path.clone()))
                .collect();
            self.files.extend(inherited);
            let words = format!("fork of a process `{child}`");
            return Ok((Action::Fork { child }, words));
        }
        if fields.boolean("finish")?.is_some() {
            return Ok((Action::Finish, "end of the call that blocked".into()));
        }
        if let Some((regex, shown)) = regex(fields, "log")? {
            let level = fields.string("level")?;
            let level = level.map(|word| {
                let at = LEVELS.iter().position(|level| *level == word);
                at.map(|at| at as u8).ok_or_else(|| {
                    let message = format!("`{word}` is no level of the log");
                    fields.text.unknown(&fields.span, message, &word, LEVELS)
                })
            });
            let captures = regex.capture_names().flatten().map(str::to_owned);
            self.values.extend(captures);
            let line = LogLine {
                regex,
                level: level.transpose()?,
                absent: fields.boolean("absent")?.unwrap_or(false),
            };
            return Ok((Action::Log(line), format!("log line `{shown}`")));
        }
        if let Some(state) = fields.string("module")? {
            let loaded = match &*state {
                "loaded" => true,
                "absent" => false,
                _ => {
                    let message = format!("`{state}` is no state of a module");
                    let known = ["loaded", "absent"];
                    return Err(fields.text.unknown(&fields.span, message, &state, known));
                }
            };
            let words = "look into /proc/modules".to_owned();
            return Ok((Action::Module { loaded }, words));
        }
        if fields.boolean("nothing-left")?.is_some() {
            return Ok((Action::NothingLeft, "look for what is left behind".into()));
        }
        self.on_file(fields, process)
    }

    /// Reads an action on an open file.
    fn on_file(&mut self, fields: &mut Fields, process: &str) -> Result<(Action, String)> {
        let read = fields.size("read")?;
        let write = fields.take("write");
        let seek = fields.integer("seek")?;
        let ioctl = fields.take("ioctl");
        let poll = fields.string("poll")?;
        let mmap = fields.size("mmap")?;
        let dup = fields.string("dup")?;
        let pass = fields.string("pass")?;
        let close = fields.boolean("close")?;
        let is_any = read.is_some()
            || write.is_some()
            || seek.is_some()
            || ioctl.is_some()
            || poll.is_some()
            || mmap.is_some()
            || dup.is_some()
            || pass.is_some()
            || close.is_some();
        if !is_any {
            // An unknown word is the likeliest reason, and its error names the nearest ones.
            for expected in ["of", "at", "from", "arg", "for", "say", "error", "returns"] {
                fields.take(expected);
            }
            let span = fields.span.clone();
            let text = fields.text;
            let rest = fields.rest();
            let known = [
                "load",
                "unload",
                "wait",
                "open",
                "close",
                "read",
                "write",
                "seek",
                "ioctl",
                "poll",
                "mmap",
                "dup",
                "pass",
                "fork",
                "run",
                "together",
                "finish",
                "log",
                "module",
                "nothing-left",
            ];
            return Err(match rest.first() {
                Some((word, at, _)) => {
                    let message = format!("`{word}` is nothing that a step can do");
                    text.unknown(at, message, word, known)
                }
                None => text
                    .error(&span, "this step does nothing")
                    .help(format!("a step has one of: {}", known.join(", "))),
            });
        }
        let file = fields.string("of")?.unwrap_or_else(|| FILE.to_owned());
        let key = (process.to_owned(), file.clone());
        let Some(path) = self.files.get(&key).cloned() else {
            let opened = self.files.keys().filter(|(of, _)| of == process);
            let names: Vec<&str> = opened.map(|(_, name)| name.as_str()).collect();
            let message = format!("no step above opens a file `{file}` in this process");
            return Err(fields.text.unknown(&fields.span, message, &file, names));
        };
        let at = fields.integer("at")?;
        let place = at.map_or(String::new(), |at| format!(" at {at}"));
        if let Some(size) = read {
            let words = format!("read of {size} bytes from {path}{place}");
            return Ok((Action::Read { file, size, at }, words));
        }
        if let Some(field) = write {
            let bytes = bytes(fields, "write", field)?;
            let words = format!("write of {} to {path}{place}", shown(&bytes));
            return Ok((Action::Write { file, bytes, at }, words));
        }
        if let Some(offset) = seek {
            let from = fields.string("from")?.unwrap_or_else(|| "start".into());
            let known = ["start", "current", "end"];
            let Some(whence) = known.iter().position(|word| *word == from) else {
                let message = format!("`{from}` is no place to seek from");
                return Err(fields.text.unknown(&fields.span, message, &from, known));
            };
            let whence = whence as u8;
            let words = format!("seek to {offset} from the {from} of {path}");
            return Ok((
                Action::Seek {
                    file,
                    offset,
                    whence,
                },
                words,
            ));
        }
        if let Some(field) = ioctl {
            let shown = match field.get_ref() {
                DeValue::Integer(_) => fields.integer_of("ioctl", &field)?.to_string(),
                _ => fields.text_of("ioctl", &field)?,
            };
            let number =
                ioctl_number(&shown).map_err(|why| fields.text.error(&field.span(), why))?;
            let argument = match fields.take("arg") {
                None => Argument::Value(0),
                Some(arg) if matches!(arg.get_ref(), DeValue::Integer(_)) => {
                    Argument::Value(fields.integer_of("arg", &arg)?)
                }
                Some(arg) => Argument::Bytes(bytes(fields, "arg", arg)?),
            };
            let words = format!("ioctl {shown} on {path}");
            return Ok((
                Action::Ioctl {
                    file,
                    number,
                    argument,
                },
                words,
            ));
        }
        if let Some(events) = poll {
            let (events, words) = (poll_events(fields, &events)?, events);
            let time = fields.duration("for")?.unwrap_or_default();
            let words = format!("poll of {path} for `{words}`");
            return Ok((Action::Poll { file, events, time }, words));
        }
        if let Some(size) = mmap {
            let at = at.unwrap_or(0);
            let words = format!("mmap of {size} bytes of {path}{place}");
            return Ok((Action::Mmap { file, size, at }, words));
        }
        if let Some(new) = dup {
            self.files
                .insert((process.to_owned(), new.clone()), path.clone());
            return Ok((Action::Dup { file, new }, format!("dup of {path}")));
        }
        if let Some(to) = pass {
            if !self.processes.contains(&to) {
                let message = format!("no step above is done by a process `{to}`");
                let known = self.processes.iter().map(String::as_str);
                return Err(fields.text.unknown(&fields.span, message, &to, known));
            }
            let new = fields.string("as")?.unwrap_or_else(|| file.clone());
            let words = format!("pass of {path} to the process `{to}`");
            self.files.insert((to.clone(), new.clone()), path);
            return Ok((Action::Pass { file, to, new }, words));
        }
        self.files.remove(&key);
        Ok((Action::Close { file }, format!("close of {path}")))
    }

    fn expectation(&mut self, fields: &mut Fields, action: &Action) -> Result<Expectation> {
        let mut wanted = Expectation {
            errors: errors(fields, "error")?,
            returns: fields.integer("returns")?,
            bytes: match fields.take("bytes") {
                Some(field) => Some(bytes(fields, "bytes", field)?),
                None => None,
            },
            matches: regex(fields, "matches")?.map(|(regex, _)| regex),
            lacks: regex(fields, "lacks")?.map(|(regex, _)| regex),
            ..Expectation::default()
        };
        if let Some(ready) = fields.string("ready")? {
            wanted.returns = Some(poll_events(fields, &ready)?);
        }
        // A shell's command that fails has failed.
        if matches!(action, Action::Run { .. }) && wanted.returns.is_none() {
            wanted.returns = Some(0);
        }
        if let Some((text, span)) = fields.strings("layout")?.and_then(|mut l| l.pop()) {
            let layout = Layout::parse(&text).map_err(|why| fields.text.error(&span, why))?;
            wanted.layout = Some(layout);
        }
        self.values.extend(OF_EVERY_CALL.map(str::to_owned));
        self.values.extend(wanted.names());
        if let Some(mut table) = fields.table("let")? {
            for (name, _, field) in table.rest() {
                let text = table.text_of(&name, &field)?;
                let parsed = Expression::parse(&text);
                let expression = parsed.map_err(|why| table.text.error(&field.span(), why))?;
                self.are_known(fields, &field.span(), expression.variables())?;
                self.values.insert(name.clone());
                wanted.values.push((name, expression));
            }
        }
        for (text, span) in fields.strings("check")?.unwrap_or_default() {
            let comparison =
                Comparison::parse(&text).map_err(|why| fields.text.error(&span, why))?;
            self.are_known(fields, &span, comparison.variables())?;
            wanted.checks.push(comparison);
        }
        Ok(wanted)
    }

    /// Returns an error unless steps so far lead to these values.
    fn are_known(&self, fields: &Fields, at: &Range<usize>, names: Vec<&str>) -> Result<()> {
        match names.into_iter().find(|name| !self.values.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                let message = format!("no step so far leads to a value `{name}`");
                let known = self.values.iter().map(String::as_str);
                Err(fields.text.unknown(at, message, name, known))
            }
        }
    }
}

/// Reads the parameters of a module.
pub fn parameters(fields: &Fields, field: Field) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for (name, _, value) in fields.table_of("load", field)?.rest() {
        let value = match value.get_ref() {
            DeValue::Integer(_) => fields.integer_of(&name, &value)?.to_string(),
            DeValue::Boolean(true) => "Y".to_owned(),
            DeValue::Boolean(false) => "N".to_owned(),
            _ => fields.text_of(&name, &value)?,
        };
        let quoted = match value.contains(char::is_whitespace) {
            true => format!("\"{value}\""),
            false => value,
        };
        all.push(format!("{name}={quoted}"));
    }
    Ok(all)
}

fn poll_events(fields: &Fields, text: &str) -> Result<i64> {
    let mut events = 0;
    for word in text.split_whitespace() {
        let known = EVENTS.iter().find(|(name, _)| *name == word);
        events |= known.map(|(_, number)| number).ok_or_else(|| {
            let message = format!("`{word}` is no event of poll");
            let names = EVENTS.map(|(name, _)| name);
            fields.text.unknown(&fields.span, message, word, names)
        })?;
    }
    Ok(events)
}

/// Reads a regular expression. It is matched in a time that grows with the text's length only.
fn regex(fields: &mut Fields, key: &'static str) -> Result<Option<(Regex, String)>> {
    let Some((text, span)) = fields.strings(key)?.and_then(|mut all| all.pop()) else {
        return Ok(None);
    };
    let built = RegexBuilder::new(&text).size_limit(1 << 20).build();
    let regex = built.map_err(|e| {
        let message = format!("`{key}` is no regular expression");
        fields.text.error(&span, message).output(e.to_string())
    })?;
    Ok(Some((regex, text)))
}
