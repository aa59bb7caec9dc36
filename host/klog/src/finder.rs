// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the kernel's reports in its log: which lines belong to a report, and what they say.

use crate::{
    Frame, ReportKind,
    report::{Report, Stack},
    table::report_kind,
    x86,
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
/// returned after the report.
pub struct Finder<T> {
    open: Option<Open<T>>,
}

struct Open<T> {
    report: Report<T>,
    others: Vec<T>,
    /// The number of `others` since the report's last line.
    foreign_lines: usize,
    /// Whether the last line was "cut here", so that the next one is the kernel's message.
    saw_cut_here: bool,
    /// Whether the last line was one of a stack.
    in_stack: bool,
    /// Whether the line "end trace" was seen.
    saw_end_trace: bool,
}

impl<T> Default for Finder<T> {
    fn default() -> Self {
        Finder { open: None }
    }
}

/// The role that a line may have.
enum Line {
    /// A line that may begin a report.
    Opens(ReportKind),
    Frame(Frame),
    Rip(Option<Frame>),
    /// The line "Call Trace:".
    Trace,
    /// KASAN's heading of the next stack, which allocated or freed the memory.
    Earlier,
    /// Registers and the like, which are part of a report if there is one.
    Detail,
    EndTrace,
    Text,
}

impl<T> Finder<T> {
    /// Takes the next item with the kernel's own text of it, and returns what is complete now.
    pub fn push(&mut self, item: T, text: &str) -> Vec<Found<T>> {
        let line = classify(text);
        let belongs = self
            .open
            .as_ref()
            .is_some_and(|open| open.takes(&line, text));
        if belongs {
            let open = self.open.as_mut().expect("it was there");
            open.add(item, text, line);
            // Nothing follows the end of a warning or of a report of KASAN's; an oops repeats
            // its registers.
            if open.saw_end_trace && (open.report.kind == ReportKind::Warning || is_rule(text)) {
                return self.flush();
            }
            return Vec::new();
        }
        let is_none = matches!(
            line,
            Line::Text | Line::Detail | Line::EndTrace | Line::Earlier
        );
        if let (true, Some(open)) = (is_none, &mut self.open) {
            open.others.push(item);
            open.foreign_lines += 1;
            let patience = if open.in_stack { 20 } else { 3 };
            return match open.foreign_lines > patience {
                true => self.flush(),
                false => Vec::new(),
            };
        }
        let mut found = self.flush();
        if begins(&line) || text.starts_with("[<0>] ") {
            let mut open = Open::new();
            open.add(item, text, line);
            self.open = Some(open);
        } else {
            found.push(Found::Other(item));
        }
        found
    }

    /// Returns what is still held, because the log ended or paused.
    pub fn flush(&mut self) -> Vec<Found<T>> {
        let Some(open) = self.open.take() else {
            return Vec::new();
        };
        let Open { report, others, .. } = open;
        let others = others.into_iter().map(Found::Other);
        if report.is_whole() {
            let report = Found::Report(Box::new(report));
            return std::iter::once(report).chain(others).collect();
        }
        // The items only looked like a report.
        let Report { items, .. } = report;
        items.into_iter().map(Found::Other).chain(others).collect()
    }

    /// Returns whether items of a report are held.
    pub fn holds(&self) -> bool {
        self.open.is_some()
    }

    /// Returns whether everything that matters of the report has come.
    pub fn has_ended(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.saw_end_trace)
    }
}

impl<T> Open<T> {
    fn new() -> Self {
        Open {
            report: Report::new(),
            others: Vec::new(),
            foreign_lines: 0,
            saw_cut_here: false,
            in_stack: false,
            saw_end_trace: false,
        }
    }

    fn takes(&self, line: &Line, text: &str) -> bool {
        let has_stack = self.report.has_stack();
        match line {
            Line::Text if text.is_empty() => self.report.is_kasan(),
            Line::Text => self.saw_cut_here,
            // One fault is reported in several lines, and has consequences.
            Line::Opens(ReportKind::Panic) => !self.report.panicked,
            Line::Opens(ReportKind::Backtrace | ReportKind::Stack)
                if self.report.kind.asks_all() =>
            {
                !self.saw_end_trace
            }
            Line::Opens(_) => !has_stack,
            Line::Trace => !self.saw_end_trace,
            Line::Earlier => has_stack && !self.saw_end_trace,
            _ => true,
        }
    }

    fn add(&mut self, item: T, text: &str, line: Line) {
        let report = &mut self.report;
        report.items.push(item);
        self.foreign_lines = 0;
        self.in_stack = matches!(line, Line::Frame(_)) || text.trim() == "<TASK>";
        let was_cut = std::mem::take(&mut self.saw_cut_here);
        match line {
            Line::Opens(kind) => {
                self.saw_cut_here = kind == ReportKind::Cut;
                if kind == ReportKind::Panic {
                    report.panicked = true;
                }
                if kind == ReportKind::Stack {
                    report.parse_task_line(text);
                }
                report.add_kind(kind, text);
            }
            Line::Text if was_cut => report.head.push(text.trim().to_owned()),
            Line::Frame(frame) if !self.saw_end_trace => report.stack().frames.push(frame),
            Line::Rip(Some(frame)) if !self.saw_end_trace => {
                let stack = report.stack();
                match stack.frames.is_empty() {
                    true => stack.rip = Some(frame),
                    false => stack.frames.push(frame),
                }
            }
            Line::Trace => report.add_kind(ReportKind::Stack, text),
            Line::Earlier => report.stacks.push(Stack::default()),
            Line::EndTrace => self.saw_end_trace = true,
            Line::Detail if is_access(text) => report.head.push(text.to_owned()),
            _ => {}
        }
    }
}

/// Returns whether a line describes the access to memory of a fault or of a report of KASAN's.
fn is_access(text: &str) -> bool {
    let begins = [
        "#PF: ",
        "Read of size ",
        "Write of size ",
        "The buggy address is located",
    ];
    begins.iter().any(|begin| text.starts_with(begin))
}

/// Returns whether a line is the rule with which a report of KASAN's begins and ends.
fn is_rule(text: &str) -> bool {
    text.len() >= 20 && text.bytes().all(|b| b == b'=')
}

fn begins(line: &Line) -> bool {
    matches!(line, Line::Opens(_) | Line::Trace)
}

fn classify(text: &str) -> Line {
    if let Some(kind) = report_kind(text) {
        return Line::Opens(kind);
    }
    if x86::is_instruction_pointer(text) {
        return Line::Rip(Frame::of_rip(text));
    }
    if let Some(frame) = Frame::of_stack(text) {
        return Line::Frame(frame);
    }
    // This is an address that is in no symbol.
    let bare = text.trim().trim_start_matches("? ").strip_prefix("0x");
    if bare.is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Line::Detail;
    }
    if text.starts_with("Call Trace:") {
        return Line::Trace;
    }
    if text.starts_with("---[ end trace ") || is_rule(text) {
        return Line::EndTrace;
    }
    const EARLIER: &[&str] = &[
        "Allocated by task ",
        "Freed by task ",
        "Last potentially related work creation:",
        "Second to last potentially related work creation:",
    ];
    if EARLIER.iter().any(|e| text.starts_with(e)) {
        return Line::Earlier;
    }
    // This is a row of KASAN's shadow memory: ` ffff888003d3c680: 00 00 00 fc fc`.
    let row = text.trim_start_matches(['>', ' ']).split_once(": ");
    let is_hex = |t: &str| t.len() == 16 && t.bytes().all(|b| b.is_ascii_hexdigit());
    if row.is_some_and(|(address, _)| is_hex(address)) || text.trim() == "^" {
        return Line::Detail;
    }
    // These are the end of a panic's report, and markers.
    const DETAILS: &[&str] = &[
        "Read of size ",
        "Write of size ",
        "The buggy address ",
        "which belongs to the cache ",
        "allocated ",
        "freed ",
        "This frame has ",
        "page: refcount:",
        "flags: 0x",
        "anon flags: 0x",
        "page_type: ",
        "raw: ",
        "page dumped because: kasan",
        "Memory state around the buggy address:",
        "Code: ",
        "Tainted: ",
        "Hardware name: ",
        "Modules linked in: ",
        "note: ",
        "Kernel Offset: ",
        "Rebooting in ",
        "Sending NMI ",
        "Last unloaded",
        "last unloaded",
        "Stack:",
        "preempt_count: ",
        "RCU nest depth: ",
        "in_atomic(): ",
        "INFO: lockdep",
        "irq event stamp",
        "hardirqs last",
        "softirqs last",
        "Workqueue: ",
        "---[ end Kernel panic",
        "Preemption disabled at:",
        "\"echo 0 > /proc/sys/kernel/hung_task",
        "Dumping ftrace buffer",
        "(ftrace buffer empty)",
        "Shutting down cpus with NMI",
        "\t(t=",
        "\t(detected by",
        "rcu: \t",
        "CPU features: ",
        "      Not tainted ",
        "      Tainted: ",
        "<TASK>",
        "</TASK>",
        "<IRQ>",
        "</IRQ>",
        "<NMI>",
        "</NMI>",
        "<SOFTIRQ>",
        "</SOFTIRQ>",
        "<#DF>",
        "</#DF>",
        "<ENTRY_TRAMPOLINE>",
        "</ENTRY_TRAMPOLINE>",
    ];
    let inner = text.strip_prefix(' ').unwrap_or(text);
    match DETAILS
        .iter()
        .chain(x86::REGISTERS)
        .any(|d| text.starts_with(d) || inner.starts_with(d))
    {
        true => Line::Detail,
        false => Line::Text,
    }
}
