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
        let mut names: Vec<String> = Vec::new();
        let flush = |names: &mut Vec<String>, text: &mut String| {
            for line in wrapped(names) {
                let _ = writeln!(text, "    {dim}{line}{plain}");
            }
            names.clear();
        };
        for (run, times) in folded(&frames[skipped..]) {
            let frame_times = if run.len() == 1 { times } else { 1 };
            for frame in run {
                match self.frame_in_module(frame, frame_times) {
                    Some(lines) => {
                        flush(&mut names, &mut text);
                        text += &lines;
                    }
                    None => names.push(frame.function.clone() + &often(frame_times)),
                }
            }
            if run.len() > 1 {
                flush(&mut names, &mut text);
                let _ = writeln!(text, "    (these {} calls, {times} times)", run.len());
            }
        }
        flush(&mut names, &mut text);
        text
    }

    /// Formats a frame of a module with its lines.
    fn frame_in_module(&self, frame: &DecodedFrame, times: usize) -> Option<String> {
        let own = frame.own();
        let entry = own.is_empty() && frame.is_entry();
        let module = frame.module.as_ref().filter(|_| !entry)?;
        let shown = match own.is_empty() {
            true => frame.places.iter().filter(|p| !p.inlined).collect(),
            false => own,
        };
        let mut text = String::new();
        let often = often(times);
        if shown.is_empty() {
            // A tool that adds the line of the source leaves the offset out.
            let place = match frame.size {
                0 => String::new(),
                _ => format!("+{:#x}", frame.offset),
            };
            let _ = writeln!(text, "    {}{place} [{module}]{often}", frame.function);
        }
        for place in shown {
            let at = place.at().map_or(String::new(), |at| format!("  {at}"));
            let _ = writeln!(text, "    {}{at}{often}", place.function);
            // The line where it happened is shown above already.
            let again = self.at.as_ref().is_some_and(|at| at.at() == place.at());
            if let Some(source) = place.source.as_ref().filter(|_| place.own && !again) {
                let _ = writeln!(text, "        {}", source.trim());
            }
        }
        Some(text)
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

/// The longest cycle of functions that is recognised.
const CYCLE: usize = 8;

/// Returns the frames in runs, each with how often it follows itself: a recursion has hundreds of
/// equal frames, and a mutual one has hundreds of equal cycles of frames.
fn folded(frames: &[DecodedFrame]) -> Vec<(&[DecodedFrame], usize)> {
    let is_same = |a: &DecodedFrame, b: &DecodedFrame| {
        (&a.symbol, a.offset, &a.module) == (&b.symbol, b.offset, &b.module)
    };
    let are_same = |a: &[DecodedFrame], b: &[DecodedFrame]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
    };
    let mut runs = Vec::new();
    let mut rest = frames;
    while !rest.is_empty() {
        let times = |length: usize| {
            let mut chunks = rest.chunks(length);
            let first = chunks.next().unwrap_or_default();
            1 + chunks.take_while(|chunk| are_same(first, chunk)).count()
        };
        // Two functions that call each other once more are no recursion yet.
        let is_cycle = |length: &usize| times(*length) >= if *length == 1 { 2 } else { 3 };
        let length = (1..=CYCLE).find(is_cycle);
        let (length, times) = length.map_or((1, 1), |length| (length, times(length)));
        runs.push((&rest[..length], times));
        rest = &rest[length * times..];
    }
    runs
}

fn often(times: usize) -> String {
    match times {
        1 => String::new(),
        times => format!("  ({times} times)"),
    }
}

fn wrapped(names: &[String]) -> Vec<String> {
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
            None => lines.push(name.clone()),
        }
    }
    lines
}
