// SPDX-License-Identifier: MIT OR Apache-2.0

//! Formats a decoded report for people to read.

use std::fmt::Write as _;

use koru_klog::ReportKind;

use crate::{Decoded, DecodedFrame, DecodedPart, Place};

/// How a report is written.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    pub colour: bool,
    /// What to print about the lines that are left out, if any are: how to see them.
    pub raw: Option<&'a str>,
}

/// The number of columns of a line with several names.
const WIDTH: usize = 96;

impl Decoded {
    /// Formats the report as lines without a closing newline. `before` is put before the first
    /// line, for example the time.
    pub fn text(&self, before: &str, style: &Style) -> String {
        let (paint, bold, dim, plain) = match style.colour {
            true if self.kind == ReportKind::Warning => {
                ("\x1b[1;33m", "\x1b[1m", "\x1b[2m", "\x1b[0m")
            }
            true => ("\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"),
            false => ("", "", "", ""),
        };
        let mut text = format!("{before}{paint}{}{plain}\n", self.what);
        // An NMI is koru's own question, and its line only says that the kernel did not expect it.
        let told = matches!(
            self.kind,
            ReportKind::RustPanic | ReportKind::Panic | ReportKind::Nmi
        );
        if !told && !self.what.contains(self.line.as_str()) {
            let _ = writeln!(text, "  {dim}{}{plain}", self.line);
        }
        if let Some(place) = &self.at {
            let column = place.column.map_or(String::new(), |c| format!(":{c}"));
            let at = place.at().unwrap_or_default();
            let function = match place.function.as_str() {
                "" => String::new(),
                name => format!(", in {name}"),
            };
            let _ = writeln!(text, "  at {bold}{at}{column}{plain}{function}");
            if let (Some(line), Some(source)) = (place.line, &place.source) {
                let _ = writeln!(text, "  {line:6} | {bold}{source}{plain}");
            }
        }
        if self.at.is_none() && !self.is_of_loader() {
            if let Some(place) = self.place() {
                let _ = writeln!(text, "  in {bold}{place}{plain}");
            }
        }
        if !self.frames.is_empty() && !self.is_of_loader() {
            let _ = writeln!(text, "  {}", self.task_header());
            text += &self.call_trace(&self.frames, dim, plain);
        }
        for part in &self.parts {
            text += &self.part(part, dim, plain);
        }
        for note in &self.notes {
            let _ = writeln!(text, "  ({note})");
        }
        if self.panicked && self.kind != ReportKind::Nmi && self.kind != ReportKind::Panic {
            text += "  the kernel then panicked\n";
        }
        if let Some(raw) = style.raw.filter(|_| self.lines > self.frames.len()) {
            let lines = self.lines;
            let _ = write!(
                text,
                "  {dim}{lines} lines with registers and code: {raw}{plain}"
            );
        }
        text.trim_end().to_owned()
    }

    /// Returns whether the stack is that of the kernel's own loader, which prints it when an init
    /// returns a positive number. Which module it was, the line before says.
    fn is_of_loader(&self) -> bool {
        // The compiler puts what is rare into a function of its own: `do_init_module.cold`.
        let innermost = self.frames.first().map(|f| f.function.split('.').next());
        self.kind == ReportKind::Stack && innermost == Some(Some("do_init_module"))
    }

    fn task_header(&self) -> String {
        let task = match (&self.process, self.pid) {
            (Some(process), Some(pid)) => Some(format!("{process}, pid {pid}")),
            (None, Some(pid)) => Some(format!("pid {pid}")),
            _ => None,
        };
        let cpu = self.cpu.map(|cpu| format!("CPU {cpu}"));
        let whose: Vec<String> = task.into_iter().chain(cpu).collect();
        match whose.is_empty() {
            true => "Call trace, innermost first:".to_owned(),
            false => format!("Call trace ({}), innermost first:", whose.join(", ")),
        }
    }

    /// Formats a part of the report: its title, its locks and its call trace.
    fn part(&self, part: &DecodedPart, dim: &str, plain: &str) -> String {
        let mut chars = part.title.chars();
        let first = chars.next().map(|c| c.to_ascii_lowercase());
        let title: String = first.into_iter().chain(chars).collect();
        let function = part
            .function
            .as_ref()
            .filter(|f| !title.contains(f.as_str()));
        let function = function.map_or(String::new(), |f| format!(" in {f}"));
        let mut text = format!("  {title}{function}:\n");
        for lock in &part.locks {
            let _ = writeln!(text, "    {lock}");
        }
        text + &self.call_trace(&part.frames, dim, plain)
    }

    /// Formats a call trace: frames of modules with their lines, frames of the kernel by name.
    fn call_trace(&self, frames: &[DecodedFrame], dim: &str, plain: &str) -> String {
        let is_own = |f: &DecodedFrame| f.places.iter().any(|p| p.own);
        // The functions that print a panic are not part of the way to it.
        let skipped = match self.kind {
            ReportKind::RustPanic => frames.iter().position(is_own).unwrap_or(0),
            _ => 0,
        };
        let mut text = String::new();
        let mut names: Vec<&str> = Vec::new();
        let flush = |names: &mut Vec<&str>, text: &mut String| {
            for line in wrapped(names) {
                let _ = writeln!(text, "    {dim}{line}{plain}");
            }
            names.clear();
        };
        for (frames, times) in folded(&frames[skipped..]) {
            let note = match frames {
                [_] => often(times),
                _ => String::new(),
            };
            for frame in frames {
                let own = frame.own();
                let entry = own.is_empty() && frame.is_entry();
                let Some(module) = frame.module.as_ref().filter(|_| !entry) else {
                    names.push(&frame.function);
                    continue;
                };
                flush(&mut names, &mut text);
                let shown = match own.is_empty() {
                    true => frame.places.iter().filter(|p| !p.inlined).collect(),
                    false => own,
                };
                if shown.is_empty() {
                    let place = format!("+{:#x}", frame.offset);
                    let _ = writeln!(text, "    {}{place} [{module}]{}", frame.function, note);
                }
                for place in shown {
                    let at = place.at().map_or(String::new(), |at| format!("  {at}"));
                    let _ = writeln!(text, "    {}{at}{}", place.function, note);
                    // The line where it happened is shown above already.
                    let again = self.at.as_ref().is_some_and(|at| at.at() == place.at());
                    if let Some(source) = place.source.as_ref().filter(|_| place.own && !again) {
                        let _ = writeln!(text, "        {}", source.trim());
                    }
                }
            }
            if let [_, _, ..] = frames {
                flush(&mut names, &mut text);
                let _ = writeln!(text, "    (these {} frames {times} times)", frames.len());
            }
        }
        flush(&mut names, &mut text);
        text
    }
}

impl DecodedFrame {
    /// Returns the frame's places in the module's own source.
    fn own(&self) -> Vec<&Place> {
        let mut own: Vec<&Place> = self.places.iter().filter(|p| p.own).collect();
        // The function that `module!` generates says nothing.
        if self.is_entry() {
            own.retain(|p| p.function != self.function);
        }
        own
    }

    /// Returns whether this is the function by which the kernel calls a module; in C, that is
    /// another name of the module's init.
    fn is_entry(&self) -> bool {
        let outermost = self.places.last();
        matches!(&*self.function, "init_module" | "cleanup_module")
            && outermost.is_some_and(|p| p.function == self.function)
    }
}

/// Returns the frames in groups, each with how often it follows itself: a recursion has hundreds
/// of equal frames, and functions that call one another have equal groups.
fn folded(frames: &[DecodedFrame]) -> Vec<(&[DecodedFrame], usize)> {
    /// The largest number of functions that call one another.
    const LARGEST: usize = 6;
    let is_same = |a: &DecodedFrame, b: &DecodedFrame| {
        (&a.symbol, a.offset, &a.module) == (&b.symbol, b.offset, &b.module)
    };
    let mut groups = Vec::new();
    let mut rest = frames;
    while !rest.is_empty() {
        let times = |size: usize| {
            let is_first = |group: &&[DecodedFrame]| {
                group.len() == size && group.iter().zip(rest).all(|(a, b)| is_same(a, b))
            };
            rest.chunks(size).take_while(is_first).count()
        };
        // Two equal groups of several frames may be a coincidence.
        let is_cycle = |size: &usize| times(*size) >= if *size == 1 { 2 } else { 3 };
        let size = (1..=LARGEST).find(is_cycle).unwrap_or(1);
        groups.push((&rest[..size], times(size)));
        rest = &rest[size * times(size)..];
    }
    groups
}

fn often(times: usize) -> String {
    match times {
        1 => String::new(),
        times => format!("  ({times} times)"),
    }
}

fn wrapped(names: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines
            .last_mut()
            .filter(|l| l.len() + name.len() + 2 <= WIDTH)
        {
            Some(line) => {
                *line += ", ";
                *line += name;
            }
            None => lines.push((*name).to_owned()),
        }
    }
    lines
}
