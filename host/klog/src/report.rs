// SPDX-License-Identifier: MIT OR Apache-2.0

//! A report of the kernel's, and the parts of it that matter.

use crate::{Frame, ReportKind, helpers::is_reporting};

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
    /// What the stack is, for a part of a report: `Allocated by task 77`.
    pub title: Option<String>,
    /// The locks that this part lists, each with the place where it was taken.
    pub locks: Vec<String>,
    /// The index of the first frame that an interrupt interrupted, if the kernel marks it.
    pub interrupted: usize,
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
        // Some architectures repeat the place where the processor was.
        let is_again = |f: &&Frame| self.rip.as_ref().is_some_and(|rip| f.is_at(rip));
        // Without frame pointers, older kernels are certain of nothing.
        let knows = self.rip.is_some() || frames.iter().any(|f| f.certain);
        let is_certain = |f: &&Frame| f.certain || !knows;
        let certain = || frames.iter().filter(is_certain).skip_while(is_again);
        let told = certain().skip_while(|f| is_reporting(&f.symbol));
        // If nothing but such functions are there, they are the subject.
        let path: Vec<&Frame> = self.rip.iter().chain(told).collect();
        match path.is_empty() {
            true => certain().collect(),
            false => path,
        }
    }

    /// Returns whether a module is in the call path.
    pub fn in_module(&self) -> bool {
        self.path().iter().any(|f| f.module.is_some())
    }

    fn is_empty(&self) -> bool {
        self.rip.is_none() && self.frames.is_empty()
    }
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

    /// Returns the report with the items that it consists of.
    pub(crate) fn with_items<U>(self, items: Vec<U>) -> Report<U> {
        Report {
            kind: self.kind,
            head: self.head,
            stacks: self.stacks,
            release: self.release,
            panicked: self.panicked,
            items,
        }
    }

    pub(crate) fn has_stack(&self) -> bool {
        self.stacks.iter().any(|s| !s.is_empty())
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
        let number = |key| after(key).and_then(|t| t.trim_end_matches(',').parse().ok());
        // The name may contain blanks.
        let comm = text
            .split_once(" Comm: ")
            .or_else(|| text.split_once(", comm: "));
        let comm = comm.map(|(_, rest)| {
            let end = ["Tainted: ", "Not tainted ", "Kdump: "]
                .iter()
                .filter_map(|m| rest.find(m))
                .min();
            rest[..end.unwrap_or(rest.len())].trim().to_owned()
        });
        let (cpu, pid) = (number("CPU: "), number("PID: ").or(number("Pid: ")));
        let stack = self.stack();
        // What `IP: place` says in older kernels belongs to this task.
        if !stack.frames.is_empty() || stack.title.is_some() || stack.pid.is_some() {
            self.stacks.push(Stack::default());
        }
        let stack = self.stack();
        (stack.cpu, stack.pid, stack.comm) = (cpu, pid, comm);
    }

    /// Adds where the processor was. Further such places are the kernel code that was
    /// interrupted; the end of an oops repeats the first one.
    pub(crate) fn add_pointer(&mut self, frame: Frame) {
        let stack = self.stack();
        match &stack.rip {
            Some(rip) if rip.is_at(&frame) => {}
            _ if stack.frames.is_empty() => stack.rip = Some(frame),
            _ => stack.frames.push(frame),
        }
    }

    /// Begins a part of the report, which may have a stack and locks.
    pub(crate) fn begin_part(&mut self, title: Option<String>) {
        let number = |key: &str| {
            let (_, rest) = title.as_ref()?.split_once(key)?;
            rest.split_whitespace().next()?.parse().ok()
        };
        self.stacks.push(Stack {
            cpu: number(" on cpu "),
            pid: number(" by task "),
            title,
            ..Stack::default()
        });
    }

    /// Begins the report's own stack, if the last one is that of a part.
    pub(crate) fn begin_trace(&mut self) {
        let of_part = self
            .stacks
            .last()
            .is_some_and(|s| s.title.is_some() && !s.is_empty());
        if of_part {
            self.begin_part(None);
        }
    }

    /// Parses the second line of a report of kmemleak's: `comm "insmod", pid 77, jiffies ...`.
    pub(crate) fn parse_leak(&mut self, text: &str) {
        let Some((comm, rest)) = text.strip_prefix("comm \"").and_then(|t| t.split_once('"'))
        else {
            return;
        };
        let pid = rest
            .strip_prefix(", pid ")
            .and_then(|t| t.split([',', ' ']).next());
        let stack = self.stack();
        stack.comm = Some(comm.to_owned());
        stack.pid = pid.and_then(|p| p.parse().ok());
    }

    /// Completes the report when its last line has come. If nobody but the kernel prints such
    /// lines (`sure`), they may name the function that no stack shows.
    pub(crate) fn settle(&mut self, sure: bool) {
        // In some reports the line with the task follows the stacks.
        let is_alone = |s: &Stack| s.title.is_none() && s.is_empty() && s.pid.is_some();
        if self.stacks.len() > 1 && self.stacks.last().is_some_and(is_alone) {
            let task = self.stacks.pop().unwrap_or_default();
            let own = self
                .stacks
                .iter_mut()
                .find(|s| s.title.is_none() && s.pid.is_none());
            if let Some(own) = own {
                (own.cpu, own.pid, own.comm) = (task.cpu, task.pid, task.comm);
            }
        }
        // An interrupt finds out that a processor hangs; what it interrupted is the subject.
        if matches!(self.kind, ReportKind::Stall | ReportKind::Lockup) {
            for stack in self.stacks.iter_mut().filter(|s| s.rip.is_none()) {
                let rest = &stack.frames[stack.interrupted..];
                if !rest.is_empty() && !stack.frames.iter().any(|f| f.exact) {
                    stack.frames.drain(..stack.interrupted);
                }
            }
        }
        let names_nothing = |s: &Stack| {
            let mut frames = s.frames.iter().filter(|f| f.certain);
            s.rip.is_none() && frames.all(|f| is_reporting(&f.symbol))
        };
        let is_lost = match self.kind {
            ReportKind::Sanitizer => self.main_stack().is_none_or(names_nothing),
            _ => !self.has_stack(),
        };
        if sure && is_lost {
            let named = self.head.iter().find_map(|line| frame_within(line));
            if let Some(frame) = named {
                match self.stacks.iter_mut().find(|s| s.title.is_none()) {
                    Some(own) => own.rip = Some(frame),
                    None => self.stacks.insert(
                        0,
                        Stack {
                            rip: Some(frame),
                            ..Stack::default()
                        },
                    ),
                }
            }
        }
    }

    /// Returns the stack that matters: the first that a module is in, otherwise the first that
    /// is not empty. The parts of a report explain this stack, so they come last.
    pub fn main_stack(&self) -> Option<&Stack> {
        let own = || self.stacks.iter().filter(|s| s.title.is_none());
        let parts = || self.stacks.iter().filter(|s| s.title.is_some());
        let is_there = |s: &&Stack| !s.path().is_empty();
        let found = own().find(|s| s.in_module());
        let found = found.or_else(|| own().find(is_there));
        // The stacks of a chain of locks are of other times.
        match self.kind {
            ReportKind::Lockdep => found,
            _ => found.or_else(|| parts().find(is_there)),
        }
    }

    /// Returns the parts of the report apart from its main stack: who allocated the memory,
    /// which locks are held and so on.
    pub fn parts(&self) -> Vec<&Stack> {
        let main = self.main_stack();
        let is_main = |s: &Stack| main.is_some_and(|main| std::ptr::eq(main, s));
        let others = self
            .stacks
            .iter()
            .filter(|s| !is_main(s) && s.title.is_some());
        others.collect()
    }

    /// Returns the first line that says what is wrong.
    pub fn line(&self) -> &str {
        self.head.first().map_or("", String::as_str)
    }

    /// Returns the rest of the first head line that begins with `begin`.
    pub fn head_after(&self, begin: &str) -> Option<&str> {
        self.head.iter().find_map(|l| l.strip_prefix(begin))
    }
}

/// Returns the first place in kernel code that a line names.
fn frame_within(line: &str) -> Option<Frame> {
    let ends = line.match_indices(' ').map(|(at, _)| &line[at + 1..]);
    let mut found = std::iter::once(line)
        .chain(ends)
        .filter_map(Frame::behind_address);
    let (frame, _) = found.next()?;
    Some(Frame {
        exact: true,
        ..frame
    })
}
