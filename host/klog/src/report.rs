// SPDX-License-Identifier: MIT OR Apache-2.0

//! A report of the kernel's, and the parts of it that matter.

use crate::{Frame, ReportKind};

/// A report, and the items of the log that it consists of.
#[derive(Debug)]
pub struct Report<T> {
    pub kind: ReportKind,
    /// The lines that say what is wrong, in their order.
    pub head: Vec<String>,
    /// The stacks that the report contains.
    pub stacks: Vec<Stack>,
    /// The kernel's release.
    pub release: Option<String>,
    /// Whether the kernel then panicked.
    pub panicked: bool,
    pub items: Vec<T>,
}

/// A stack: where a task or a processor is, and how it got there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stack {
    pub cpu: Option<u32>,
    pub pid: Option<u32>,
    /// The process's name.
    pub comm: Option<String>,
    /// The place where the processor was.
    pub rip: Option<Frame>,
    /// The frames as the kernel lists them, innermost first.
    pub frames: Vec<Frame>,
}

impl Stack {
    /// Returns the place where the processor was, then its callers. Frames that the kernel
    /// only guesses, and the functions that print the report, are left out.
    pub fn path(&self) -> Vec<&Frame> {
        let frames = match (&self.rip, self.frames.iter().position(|f| f.exact)) {
            (None, Some(interrupted)) => &self.frames[interrupted..],
            _ => &self.frames[..],
        };
        let certain = frames.iter().filter(|f| f.certain);
        let certain = certain.skip_while(|f| is_reporting(&f.symbol));
        self.rip.iter().chain(certain).collect()
    }

    /// Returns whether a module is in the call path.
    pub fn in_module(&self) -> bool {
        self.path().iter().any(|f| f.module.is_some())
    }
}

/// Returns whether a function only reports what another one did: KASAN is called by the code
/// that it checks.
fn is_reporting(symbol: &str) -> bool {
    let begins = [
        "dump_stack",
        "print_report",
        "print_address",
        "kasan_",
        "__kasan_",
        "__asan_",
    ];
    begins.iter().any(|begin| symbol.starts_with(begin))
}

impl<T> Report<T> {
    pub(crate) fn new() -> Self {
        Report {
            kind: ReportKind::Cut,
            head: Vec::new(),
            stacks: Vec::new(),
            release: None,
            panicked: false,
            items: Vec::new(),
        }
    }

    /// Returns whether the report says enough to be one.
    pub(crate) fn is_whole(&self) -> bool {
        self.has_stack() || self.kind == ReportKind::RustPanic
    }

    pub(crate) fn has_stack(&self) -> bool {
        self.stacks
            .iter()
            .any(|s| s.rip.is_some() || !s.frames.is_empty())
    }

    pub(crate) fn stack(&mut self) -> &mut Stack {
        if self.stacks.is_empty() {
            self.stacks.push(Stack::default());
        }
        self.stacks.last_mut().expect("there is one")
    }

    /// Adds a line that says what is wrong. Of several lines with the same priority, the first
    /// decides the kind.
    pub(crate) fn add_kind(&mut self, kind: ReportKind, text: &str) {
        if kind.priority() > self.kind.priority() {
            self.kind = kind;
        }
        if !matches!(kind, ReportKind::Cut | ReportKind::Stack) {
            self.head.push(text.trim().to_owned());
        }
    }

    /// Parses `CPU: 0 PID: 84 Comm: insmod Tainted: G  OE  6.1.0-56-cloud-amd64 #1  Debian`.
    pub(crate) fn parse_task_line(&mut self, text: &str) {
        let release = text
            .split(" #")
            .next()
            .and_then(|t| t.split_whitespace().last());
        let numbered = |r: &&str| r.starts_with(|c: char| c.is_ascii_digit());
        if let Some(release) = release.filter(numbered) {
            self.release = Some(release.to_owned());
        }
        let after = |key: &str| text.split_once(key)?.1.split_whitespace().next();
        let number = |key| after(key).and_then(|t| t.parse().ok());
        // The name may contain blanks.
        let comm = text.split_once(" Comm: ").map(|(_, rest)| {
            let end = ["Tainted: ", "Not tainted ", "Kdump: "]
                .iter()
                .filter_map(|m| rest.find(m))
                .min();
            rest[..end.unwrap_or(rest.len())].trim().to_owned()
        });
        let (cpu, pid) = (number("CPU: "), number("PID: "));
        let stack = self.stack();
        if stack.rip.is_some() || !stack.frames.is_empty() {
            self.stacks.push(Stack::default());
        }
        let stack = self.stack();
        (stack.cpu, stack.pid, stack.comm) = (cpu, pid, comm);
    }

    /// Returns the stack that matters: the first that a module is in, otherwise the first that
    /// is not empty.
    pub fn main_stack(&self) -> Option<&Stack> {
        let found = self.stacks.iter().find(|s| s.in_module());
        found.or_else(|| self.stacks.iter().find(|s| !s.path().is_empty()))
    }

    /// Returns the first line that says what is wrong.
    pub fn line(&self) -> &str {
        self.head.first().map_or("", String::as_str)
    }

    /// Returns whether this is a report of KASAN's, which have several parts.
    pub(crate) fn is_kasan(&self) -> bool {
        self.line().starts_with("BUG: KASAN: ")
    }

    /// Returns the rest of the first head line that begins with `begin`.
    pub fn head_after(&self, begin: &str) -> Option<&str> {
        self.head.iter().find_map(|l| l.strip_prefix(begin))
    }
}
