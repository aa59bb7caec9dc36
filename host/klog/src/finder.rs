// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the kernel's reports in its log: which lines belong to a report.

use std::collections::VecDeque;

use crate::{
    ReportKind,
    report::Report,
    roles::{Line, role},
    table::Opening,
};

/// An item of a log, or a report of several items.
#[derive(Debug)]
pub enum Found<T> {
    /// An item that is not part of a report.
    Other(T),
    /// A complete report.
    Report(Box<Report<T>>),
}

/// A finder of reports, which takes a log item by item and returns the items, those of a
/// report together. An item that comes in the middle of a report without being a part of it is
/// returned after the report. Everything else is returned in the order in which it came.
pub struct Finder<T> {
    open: Option<Open<T>>,
    /// Lines that were held behind the beginning of a report, and have to be looked at again.
    again: VecDeque<Held<T>>,
}

/// An item with the kernel's own text of it, and the task or processor that printed it, where
/// the log says that.
struct Held<T> {
    item: T,
    caller: Option<String>,
    text: String,
}

/// A report that may not be complete yet.
struct Open<T> {
    report: Report<()>,
    /// All items since the report began, and whether they are part of it.
    held: Vec<(Held<T>, bool)>,
    caller: Option<String>,
    /// The number of lines since the report's last line that are not part of it.
    foreign_lines: usize,
    /// The lines since a line that the kernel's message may follow; the message is among
    /// them if there is only one.
    message: Option<Vec<usize>>,
    /// Whether the last line was one of a stack.
    in_stack: bool,
    /// Whether the last line was one of the list of modules.
    in_modules: bool,
    /// Whether a stack has begun.
    saw_stack: bool,
    /// Whether the line with the task was seen.
    saw_task: bool,
    /// Whether other processors were asked where they are.
    asked_others: bool,
    /// Whether the line "end trace" was seen.
    saw_end_trace: bool,
    /// Whether the report is one even without a stack.
    sure: bool,
}

impl<T> Default for Finder<T> {
    fn default() -> Self {
        Finder {
            open: None,
            again: VecDeque::new(),
        }
    }
}

impl<T> Finder<T> {
    /// Takes the next item with the kernel's own text of it, and returns what is complete now.
    pub fn push(&mut self, item: T, text: &str) -> Vec<Found<T>> {
        self.push_from(None, item, text)
    }

    /// Takes the next item, as [`push`](Finder::push) does, of which the log says which task
    /// or processor printed it. Lines of others are never taken for a part of a report.
    pub fn push_from(&mut self, caller: Option<&str>, item: T, text: &str) -> Vec<Found<T>> {
        let mut found = Vec::new();
        self.again.push_back(Held {
            item,
            caller: caller.map(str::to_owned),
            text: text.to_owned(),
        });
        self.drain(&mut found);
        found
    }

    /// Returns what is still held, because the log ended or paused.
    pub fn flush(&mut self) -> Vec<Found<T>> {
        let mut found = Vec::new();
        while self.open.is_some() {
            self.close(&mut found);
            self.drain(&mut found);
        }
        found
    }

    /// Returns whether items of a report are held.
    pub fn holds(&self) -> bool {
        self.open.is_some()
    }

    /// Returns whether everything that matters of the report has come.
    pub fn has_ended(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.saw_end_trace)
    }

    fn drain(&mut self, found: &mut Vec<Found<T>>) {
        while let Some(held) = self.again.pop_front() {
            self.take(held, found);
        }
    }

    fn take(&mut self, held: Held<T>, found: &mut Vec<Found<T>>) {
        let Some(open) = &mut self.open else {
            let line = role(&held.text, false);
            if begins(&line, &held.text) {
                self.open = Some(Open::new(held, line));
            } else {
                found.push(Found::Other(held.item));
            }
            return;
        };
        let line = role(&held.text, open.report.kind == ReportKind::Lockdep);
        if open.is_of_another(&held) {
            if open.keep(held, 100) {
                self.close(found);
            }
        } else if open.takes(&line) || (open.in_modules && names_modules(&held.text)) {
            open.add(held, line);
            if open.is_complete() || open.is_too_long() {
                self.close(found);
            }
        } else if begins(&line, &held.text) || matches!(line, Line::Frame(_) | Line::Pointer(_)) {
            self.again.push_front(held);
            self.close(found);
        } else {
            let patience = match (open.saw_stack, open.in_stack) {
                (_, true) => 20,
                (true, false) => 3,
                (false, false) => 10,
            };
            if open.keep(held, patience) {
                self.close(found);
            }
        }
    }

    /// Ends the open report. What was held without being a part of it is looked at again: it
    /// may contain a report of its own.
    fn close(&mut self, found: &mut Vec<Found<T>>) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        open.report.settle(open.sure);
        let is_report =
            open.report.has_stack() || open.sure || open.report.kind == ReportKind::RustPanic;
        let mut others = Vec::new();
        if is_report {
            let mut items = Vec::new();
            for (held, is_part) in open.held {
                match is_part {
                    true => items.push(held.item),
                    false => others.push(held),
                }
            }
            found.push(Found::Report(Box::new(open.report.with_items(items))));
        } else {
            // The first line only looked like the beginning of a report.
            let mut held = open.held.into_iter().map(|(held, _)| held);
            found.extend(held.next().map(|first| Found::Other(first.item)));
            others.extend(held);
        }
        for held in others.into_iter().rev() {
            self.again.push_front(held);
        }
    }
}

/// Returns whether a line can begin a report.
fn begins(line: &Line, text: &str) -> bool {
    // The lines before the place where the processor was may be missing.
    let is_report = matches!(line, Line::Opens(_) | Line::Trace | Line::Pointer(Some(_)));
    is_report || text.starts_with("[<0>] ")
}

/// Returns whether a line consists of names of modules, as the rest of a list that syslog has
/// split.
fn names_modules(text: &str) -> bool {
    let is_name = |word: &str| {
        let (name, taints) = word.split_once('(').unwrap_or((word, ""));
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && taints
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b"+-)".contains(&b))
    };
    !text.trim().is_empty() && text.split_whitespace().all(is_name)
}

impl<T> Open<T> {
    fn new(first: Held<T>, line: Line) -> Self {
        let mut open = Open {
            report: Report::new(),
            held: Vec::new(),
            caller: first.caller.clone(),
            foreign_lines: 0,
            message: None,
            in_stack: false,
            in_modules: false,
            saw_stack: false,
            saw_task: false,
            asked_others: false,
            saw_end_trace: false,
            sure: false,
        };
        open.add(first, line);
        open
    }

    /// Returns whether the log says that another task or processor printed a line.
    fn is_of_another(&self, held: &Held<T>) -> bool {
        // Where a report describes several processors, each prints its part.
        let several = self.asked_others || self.report.kind.asks_all();
        !several && matches!((&self.caller, &held.caller), (Some(ours), Some(its)) if ours != its)
    }

    /// Holds a line that is not part of the report. Returns whether these are so many that no
    /// part of it will follow.
    fn keep(&mut self, held: Held<T>, patience: usize) -> bool {
        let same_caller = !self.is_of_another(&held);
        let at = self.held.len();
        if let Some(message) = self.message.as_mut().filter(|_| same_caller) {
            message.push(at);
        }
        self.held.push((held, false));
        self.foreign_lines += 1;
        self.foreign_lines > patience
    }

    fn takes(&self, line: &Line) -> bool {
        let kind = self.report.kind;
        match line {
            Line::Empty => kind.has_parts() && !self.saw_end_trace,
            Line::Text => false,
            Line::Opens(next) => self.continues_with(next.kind),
            Line::Trace | Line::Heading(_) | Line::Lock(_) => !self.saw_end_trace,
            Line::Frame(_) => self.saw_stack || !self.saw_end_trace,
            Line::Rule => kind.has_parts(),
            Line::Pointer(_) | Line::Detail | Line::Telling | Line::EndTrace => true,
        }
    }

    fn continues_with(&self, next: ReportKind) -> bool {
        let kind = self.report.kind;
        match next {
            ReportKind::Panic => !self.report.panicked,
            ReportKind::Backtrace | ReportKind::Stack if self.asked_others || kind.asks_all() => {
                !self.saw_end_trace
            }
            ReportKind::Task if matches!(kind, ReportKind::Stall) => !self.saw_end_trace,
            // The line with the task follows the stacks of some reports.
            ReportKind::Stack if kind.has_parts() => !self.saw_task && !self.saw_end_trace,
            ReportKind::Slab if kind == ReportKind::Sanitizer => !self.saw_task,
            // The message of a warning may be one that otherwise begins a report.
            ReportKind::Bug if kind == ReportKind::Warning => {
                self.message.as_ref().is_some_and(Vec::is_empty)
            }
            _ => !self.saw_stack && kind.continues_with(next),
        }
    }

    fn add(&mut self, held: Held<T>, line: Line) {
        let text = held.text.trim().to_owned();
        self.find_message(&line);
        self.held.push((held, true));
        self.foreign_lines = 0;
        self.in_stack = matches!(line, Line::Frame(_) | Line::Trace) || text == "<TASK>";
        self.in_modules =
            text.starts_with("Modules linked in:") || (self.in_modules && names_modules(&text));
        if text.starts_with("Sending NMI ") {
            self.asked_others = true;
        }
        let report = &mut self.report;
        if ["</IRQ>", "</NMI>", "<EOI>", "<<EOE>>"]
            .iter()
            .any(|m| text.starts_with(m))
        {
            report.stack().interrupted = report.stack().frames.len();
        }
        match line {
            Line::Opens(Opening { kind, sure }) => {
                self.sure |= sure;
                match kind {
                    ReportKind::Panic => report.panicked = true,
                    ReportKind::Stack => {
                        self.saw_task = true;
                        report.parse_task_line(&text);
                    }
                    _ => {}
                }
                report.add_kind(kind, &text);
                let may_say_more = matches!(kind, ReportKind::Cut | ReportKind::Warning);
                if may_say_more || text.starts_with("UBSAN: ") {
                    self.message = Some(Vec::new());
                }
            }
            Line::Frame(frame) if !self.saw_end_trace => {
                self.saw_stack = true;
                report.stack().frames.push(frame);
            }
            Line::Pointer(Some(frame)) if !self.saw_end_trace => report.add_pointer(frame),
            Line::Trace => {
                self.saw_stack = true;
                report.begin_trace();
                report.add_kind(ReportKind::Stack, &text);
            }
            Line::Heading(title) => report.begin_part(title),
            Line::Lock(lock) => report.stack().locks.push(lock),
            Line::Telling => {
                report.parse_leak(&text);
                report.head.push(text);
            }
            Line::Rule | Line::EndTrace => {
                self.saw_end_trace |= self.saw_stack || matches!(line, Line::EndTrace);
            }
            _ => {}
        }
    }

    /// Takes the kernel's own message, which stands alone between two lines that are part of
    /// the report. If there are several lines, nobody knows which of them it is.
    fn find_message(&mut self, next: &Line) {
        let Some(lines) = &self.message else {
            return;
        };
        // Details follow the message only.
        let is_over = !matches!(next, Line::Empty | Line::Rule);
        if let [only] = lines[..] {
            let (held, is_part) = &mut self.held[only];
            *is_part = true;
            self.report.head.push(held.text.trim().to_owned());
        }
        if is_over {
            self.message = None;
        }
    }

    /// Returns whether the lines are more than those of any report, or no stack has followed
    /// what may not be a report at all.
    fn is_too_long(&self) -> bool {
        let may_be_none = !self.sure && !self.saw_stack;
        self.held.len() > if may_be_none { 32 } else { 5000 }
    }

    /// Returns whether nothing can follow.
    fn is_complete(&self) -> bool {
        // An oops repeats its registers after the end.
        let ends = self.report.kind == ReportKind::Warning || self.report.kind.has_parts();
        self.saw_end_trace && ends
    }
}
