// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes a report of the kernel's: adds source lines to it.

use std::{
    collections::HashMap,
    fmt::Write as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use koru_klog::{Frame, Report, ReportKind, Stack};
use serde::Serialize;

use crate::{
    DebugInfoError, LoadedModule, Sources, Symbols,
    summary::{RustPanic, rust_panic, summary},
};

/// A decoded report of the kernel's.
#[derive(Debug, Clone, Serialize)]
pub struct Decoded {
    pub kind: ReportKind,
    /// A summary of what happened.
    pub what: String,
    /// The kernel's own line that says what happened.
    pub line: String,
    /// What was at the address of the fault in a module that is not loaded any more.
    pub former: Option<String>,
    /// Where it happened: the line of the module's own source that is nearest.
    pub at: Option<Place>,
    pub cpu: Option<u32>,
    pub pid: Option<u32>,
    /// The process's name.
    pub process: Option<String>,
    /// Whether the kernel then panicked.
    pub panicked: bool,
    /// The call trace, innermost first.
    pub frames: Vec<DecodedFrame>,
    /// The other parts of the report: who allocated or freed the memory, the other access of a
    /// data race, the locks and who holds them.
    pub parts: Vec<DecodedPart>,
    /// Notes about what is missing to decode more.
    pub notes: Vec<String>,
    /// The number of lines that the report has in the log.
    pub lines: usize,
}

/// A part of a report that explains its call trace.
#[derive(Debug, Clone, Serialize)]
pub struct DecodedPart {
    /// What the part is, in the kernel's words: `allocated by task 77`.
    pub title: String,
    /// The function that did it.
    pub function: Option<String>,
    /// The locks, each with the place where it was taken.
    pub locks: Vec<String>,
    /// The part's call trace, innermost first.
    pub frames: Vec<DecodedFrame>,
}

#[derive(Debug, Clone, Serialize)]
pub struct DecodedFrame {
    /// The function's name as in the source.
    pub function: String,
    pub symbol: String,
    pub offset: u64,
    pub size: u64,
    pub module: Option<String>,
    /// The places in the source, the innermost inlined function first; empty without debug
    /// info.
    pub places: Vec<Place>,
}

/// A place in a source file.
#[derive(Debug, Clone, Serialize)]
pub struct Place {
    pub function: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// The text of the line, if it can be read.
    pub source: Option<String>,
    /// Whether the file is the module's own, and not the kernel's, Rust's or Koru's.
    pub own: bool,
    pub inlined: bool,
}

impl Place {
    /// Returns the file and the line, as in `src/lib.rs:31`.
    pub fn at(&self) -> Option<String> {
        let mut text = self.file.clone()?;
        if let Some(line) = self.line {
            let _ = write!(text, ":{line}");
        }
        Some(text)
    }
}

/// A function that returns the files that may have a module's debug info, the best first,
/// given the module and the kernel's release.
pub type DebugInfoLookup = dyn Fn(&str, Option<&str>) -> Vec<PathBuf> + Send + Sync;

/// A decoder of reports, which uses the debug info that it finds.
pub struct Decoder {
    find: Box<DebugInfoLookup>,
    pub sources: Sources,
    /// The build-ids of the modules that are loaded, by name, where they are known.
    pub loaded: HashMap<String, String>,
    /// Returns the modules that were loaded since the kernel started, the last one first, where
    /// that is known.
    pub former: Option<Box<dyn Fn() -> Vec<LoadedModule> + Send + Sync>>,
    read: Mutex<HashMap<PathBuf, Result<Symbols, DebugInfoError>>>,
}

impl Decoder {
    pub fn new(
        sources: Sources,
        find: impl Fn(&str, Option<&str>) -> Vec<PathBuf> + Send + Sync + 'static,
    ) -> Decoder {
        Decoder {
            find: Box::new(find),
            sources,
            loaded: HashMap::new(),
            former: None,
            read: Mutex::new(HashMap::new()),
        }
    }

    /// Decodes a report.
    pub fn decode<T>(&self, report: &Report<T>) -> Decoded {
        let stack = report.main_stack();
        let release = report.release.as_deref();
        let mut notes = Vec::new();
        let frames = self.frames(stack, release, &mut notes);
        let parts = report.parts().into_iter().map(|part| {
            let frames = self.frames(Some(part), release, &mut notes);
            DecodedPart::new(part, frames)
        });
        let parts: Vec<DecodedPart> = parts.filter(DecodedPart::says_something).collect();
        let panic = report.head.iter().find_map(|l| rust_panic(l));
        let former = self.former(report);
        let at = self.place_of(panic, &frames);
        let at = at.or_else(|| former.as_ref()?.place.clone());
        let mut what = summary(report);
        if let (ReportKind::Nmi, Some(place)) = (report.kind, &at) {
            what = format!("hang: CPU stuck in {}", place.function);
        }
        if let Some(former) = &former {
            what = what.replace(", which is not mapped", "");
            what += &format!(", {}", former.words);
        }
        Decoded {
            former: former.map(|f| f.words),
            kind: report.kind,
            what,
            line: report.line().to_owned(),
            at,
            cpu: stack.and_then(|s| s.cpu),
            pid: stack.and_then(|s| s.pid),
            process: stack.and_then(|s| s.comm.clone()),
            panicked: report.panicked,
            frames,
            parts,
            notes,
            lines: report.items.len(),
        }
    }

    /// Returns the frames of a stack with their places. What is missing to find these is added
    /// to the notes.
    fn frames(
        &self,
        stack: Option<&Stack>,
        release: Option<&str>,
        notes: &mut Vec<String>,
    ) -> Vec<DecodedFrame> {
        let path = stack.map(|s| s.path()).unwrap_or_default();
        let mut frames: Vec<DecodedFrame> = path.iter().map(|f| DecodedFrame::plain(f)).collect();
        let mut modules: Vec<&str> = path.iter().filter_map(|f| f.module.as_deref()).collect();
        modules.sort();
        modules.dedup();
        for module in modules {
            let its: Vec<usize> = (0..path.len())
                .filter(|i| path[*i].module.as_deref() == Some(module))
                .collect();
            let inside: Vec<&Frame> = its.iter().map(|i| path[*i]).collect();
            match self.locate(module, release, &inside) {
                Ok(places) => {
                    for (i, places) in its.iter().zip(places) {
                        frames[*i].places = places;
                    }
                }
                Err(note) if notes.contains(&note) => {}
                Err(note) => notes.push(note),
            }
        }
        frames
    }

    /// Returns the places of frames in one module, or what is missing to find them.
    fn locate(
        &self,
        module: &str,
        release: Option<&str>,
        frames: &[&Frame],
    ) -> Result<Vec<Vec<Place>>, String> {
        let files = (self.find)(module, release);
        let loaded = frames.iter().find_map(|f| f.build_id.clone());
        let loaded = loaded.or_else(|| self.loaded.get(module).cloned());
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut note = None;
        for file in files {
            let symbols = read
                .entry(file.clone())
                .or_insert_with(|| Symbols::read(&file));
            let symbols = match symbols {
                Ok(symbols) => symbols,
                Err(missing) => {
                    note.get_or_insert(match missing {
                        DebugInfoError::Unreadable(why) => format!("{module}: {why}"),
                        DebugInfoError::None => format!(
                            "{module}: {} has no debug info, so no source lines are shown",
                            file.display()
                        ),
                    });
                    continue;
                }
            };
            let other = match (&loaded, &symbols.build_id) {
                (Some(loaded), Some(read)) if !read.starts_with(&**loaded) => {
                    Some("by its build-id")
                }
                _ => None,
            };
            let other = other.or(match (release, &symbols.release) {
                (Some(ran), Some(built)) if ran != built => Some("by its kernel"),
                _ => None,
            });
            let found: Option<Vec<_>> = frames.iter().map(|f| symbols.locate(f)).collect();
            let other = other.or(found.is_none().then_some("by the sizes of its functions"));
            let Some(found) = found.filter(|_| other.is_none()) else {
                note.get_or_insert_with(|| {
                    format!(
                        "{module}: {} is from another build than the loaded module ({}), so no \
                         source lines are shown",
                        file.display(),
                        other.unwrap_or_default()
                    )
                });
                continue;
            };
            let places = |found: Vec<crate::Location>| found.into_iter().map(|l| self.place(l));
            return Ok(found.into_iter().map(|f| places(f).collect()).collect());
        }
        Err(note.unwrap_or_else(|| {
            format!("{module}: no debug info found; give its .ko with `koru decode --ko FILE`")
        }))
    }

    /// Asks the debug info of a module that is found first.
    pub(crate) fn with_symbols<T>(
        &self,
        module: &str,
        ask: impl Fn(&Symbols) -> Option<T>,
    ) -> Option<T> {
        let files = (self.find)(module, None);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        files.into_iter().find_map(|file| {
            let symbols = read
                .entry(file.clone())
                .or_insert_with(|| Symbols::read(&file));
            ask(symbols.as_ref().ok()?)
        })
    }

    pub(crate) fn place(&self, location: crate::Location) -> Place {
        let source = location.file.as_deref().map(|f| self.sources.find(f));
        let line = location.line;
        Place {
            function: location.function,
            own: source.as_ref().is_some_and(|s| s.own),
            source: source.as_ref().and_then(|s| s.line(line?)),
            file: source.map(|s| s.shown),
            line,
            column: location.column,
            inlined: location.inlined,
        }
    }

    /// Returns where it happened: the place that a panic names, or the first line of the
    /// module's own.
    fn place_of(&self, panic: Option<RustPanic>, frames: &[DecodedFrame]) -> Option<Place> {
        let all = || frames.iter().flat_map(|f| &f.places);
        let own = all()
            .find(|p| p.own && !is_entry(p))
            .or_else(|| all().find(|p| p.line.is_some()));
        let Some(panic) = panic else {
            return own.cloned();
        };
        // A panic names the file relative to its workspace, which the frames know.
        let end = format!("/{}", panic.file);
        let is_file = |p: &&Place| {
            let file = p.file.as_deref();
            file.is_some_and(|f| f == panic.file || f.ends_with(&end))
        };
        let in_file = || all().filter(is_file);
        let is_line = |p: &&Place| p.line == Some(panic.line);
        let frame = in_file().find(is_line).or(in_file().next());
        let source = self
            .sources
            .find(match frame.and_then(|p| p.file.as_deref()) {
                Some(file) => file,
                None => panic.file,
            });
        Some(Place {
            function: frame.or(own).map_or(String::new(), |p| p.function.clone()),
            // If only the name of the file is the same, no line is shown.
            source: frame.and_then(|_| source.line(panic.line)),
            file: Some(source.shown),
            line: Some(panic.line),
            column: panic.column,
            own: source.own,
            inlined: false,
        })
    }

    /// Returns a sentence in which the places of a module, `symbol+0x1/0x2 [module]`, are
    /// replaced by function, file and line where these can be found. So are the addresses of
    /// callers in modules that are gone.
    pub fn sentence(&self, text: &str) -> String {
        let mut told = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| !c.is_whitespace()) {
            told += &rest[..at];
            rest = &rest[at..];
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            match Frame::first(rest) {
                Some((mut frame, after)) => {
                    let waits = told.ends_with("waits in ");
                    frame.exact = !waits && !told.ends_with("called by ");
                    told += &self.named(&frame);
                    if let Some(callee) = self.callee(&frame).filter(|_| waits) {
                        told += &format!(", which called {callee}");
                    }
                    rest = after;
                }
                None => {
                    let word = rest[..end].trim_end_matches([',', '.', ';', ')']);
                    let former = self.former_caller(word);
                    told += former.as_deref().unwrap_or(word);
                    rest = &rest[word.len()..];
                    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                    told += &rest[..end];
                    rest = &rest[end..];
                }
            }
        }
        told + rest
    }

    /// Returns the function whose call returns to a frame. The kernel leaves functions such as
    /// `mutex_lock` out of the stacks of waiting tasks.
    fn callee(&self, frame: &Frame) -> Option<String> {
        let module = frame.module.as_deref()?;
        self.with_symbols(module, |symbols| symbols.callee(frame))
    }

    fn named(&self, frame: &Frame) -> String {
        let function = koru_klog::demangled(&frame.symbol);
        let Some(module) = &frame.module else {
            return function;
        };
        let places = self.locate(module, None, &[frame]).unwrap_or_default();
        let mut places = places.into_iter().flatten();
        match places.find(|p| p.own || !p.inlined) {
            Some(place) => match place.at() {
                Some(at) => format!("{} ({at})", place.function),
                None => format!("{} [{module}]", place.function),
            },
            None => format!("{function} [{module}]"),
        }
    }
}

/// Returns whether a place is in the functions that `module!` generates in the module's
/// source.
fn is_entry(place: &Place) -> bool {
    matches!(&*place.function, "init_module" | "cleanup_module")
}

impl Decoded {
    /// Returns whether a module is in the call trace.
    pub fn in_module(&self) -> bool {
        self.frames.iter().any(|f| f.module.is_some())
    }
}

/// Returns the frame that a stack is about: the first in a module, otherwise the first whose
/// function does not only check, wait or fail for the others.
pub(crate) fn subject(frames: &[DecodedFrame]) -> Option<&DecodedFrame> {
    let in_module = frames.iter().find(|f| f.module.is_some());
    let own = || frames.iter().find(|f| !koru_klog::is_helper(&f.symbol));
    in_module.or_else(own).or(frames.first())
}

impl DecodedPart {
    fn new(part: &Stack, frames: Vec<DecodedFrame>) -> DecodedPart {
        DecodedPart {
            title: part.title.clone().unwrap_or_default(),
            function: subject(&frames).map(|f| f.function.clone()),
            locks: part.locks.clone(),
            frames,
        }
    }

    fn says_something(&self) -> bool {
        !self.frames.is_empty() || !self.locks.is_empty()
    }
}

impl DecodedFrame {
    fn plain(frame: &Frame) -> DecodedFrame {
        DecodedFrame {
            function: koru_klog::demangled(&frame.symbol),
            symbol: frame.symbol.clone(),
            offset: frame.offset,
            size: frame.size,
            module: frame.module.clone(),
            places: Vec::new(),
        }
    }
}
