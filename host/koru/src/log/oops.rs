// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes the oopses in the kernel's log, with the debug info of the modules that are known
//! here.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use koru_decode::{Decoded, Decoder, LoadedModule, Sources, Style};
use koru_kbuild::{modules_dir, usable_target_dir};
use koru_klog::{
    Finder, Found, LogRecord, Report, ReportKind, caller, escape_control_chars, format_record,
    format_time, plain_line, split_line,
};
use koru_session::Session;

use crate::{context::Context, log::debug_info::debug_info_files};

/// Reads the build-ids of the loaded modules, because the modules that are built here may be
/// newer.
pub fn index_loaded_modules(context: &Context, session: &Session) {
    let modules = session.list().unwrap_or_default();
    // A real machine has many modules of the kernel's own, none of which are ours.
    for module in modules.into_iter().filter(|m| m.taint.contains('O')) {
        let note = format!("/sys/module/{}/notes/.note.gnu.build-id", module.name);
        let note = session.get_file(&note).unwrap_or_default();
        // The note consists of three lengths, the owner "GNU" and the id.
        if let Some(id) = note.get(16..).filter(|id| !id.is_empty()) {
            let id = id.iter().map(|b| format!("{b:02x}")).collect();
            context.update_debug_info(|index| _ = index.loaded.insert(module.name, id));
        }
    }
}

/// Returns where this command knows sources to be.
pub fn sources(context: &Context) -> Sources {
    Sources {
        here: context.cwd.clone(),
        root: context.home.root.clone(),
        moved: context.debug_info().moved,
    }
}

/// Returns a decoder with all that this command knows about debug info and sources.
pub fn decoder(context: &Context) -> Decoder {
    let index = context.debug_info();
    let sources = sources(context);
    let (here, outputs) = (context.cwd.clone(), outputs(context));
    let loaded = index.loaded.clone();
    let mut decoder = Decoder::new(sources, move |module, release| {
        debug_info_files(&index, &here, &outputs, module, release)
    });
    decoder.loaded = loaded;
    decoder
}

/// Returns a decoder like [`decoder`] that also knows where this session's modules were, before
/// they were unloaded.
pub fn decoder_of(context: &Context, session: &Session) -> Decoder {
    let session = session.clone();
    let mut decoder = decoder(context);
    decoder.former = Some(Box::new(move || {
        let modules = session.sections().into_iter();
        let module = |m: koru_protocol::ModuleSections| LoadedModule {
            name: m.name,
            sections: m.sections,
        };
        modules.map(module).collect()
    }));
    decoder
}

/// Returns the folders in which builds leave their modules: those of the workspaces around the
/// user's folder, and that of Koru itself.
fn outputs(context: &Context) -> Vec<PathBuf> {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let around = context.cwd.ancestors().map(|dir| dir.join("target"));
    let all = set.into_iter().chain(around);
    let all = all.chain([context.home.root.join("target")]);
    let all = all.flat_map(|t| [usable_target_dir(&context.home, &t), t]);
    let mut outputs: Vec<PathBuf> = all.map(|t| t.join("koru")).filter(|o| o.is_dir()).collect();
    outputs.dedup();
    // What is built from a folder without an output folder is in the cache.
    let cached = std::fs::read_dir(modules_dir(&context.cache));
    let cached = cached.into_iter().flatten().flatten().map(|e| e.path());
    outputs.extend(cached.flat_map(|home| [home.join("target/koru"), home]));
    outputs
}

/// A renderer that turns log records, as they come, into the text to show.
pub struct LogRenderer {
    finder: Finder<LogRecord>,
    decoder: Decoder,
    raw: bool,
    colour: bool,
    last: Instant,
    /// The processor whose report ended in a panic.
    panicked_on: Option<u32>,
}

/// How long the log has to pause before a report without an end is considered complete.
const PAUSE: Duration = Duration::from_secs(3);

/// How long the log has to pause before a report whose end was seen is considered complete.
const PAUSE_AFTER_END: Duration = Duration::from_millis(300);

impl LogRenderer {
    pub fn new(decoder: Decoder, raw: bool, colour: bool) -> LogRenderer {
        LogRenderer {
            finder: Finder::default(),
            decoder,
            raw,
            colour,
            last: Instant::now(),
            panicked_on: None,
        }
    }

    /// Takes a record, and shows what is complete now. The records of a report are held back
    /// until the report is complete.
    pub fn next(&mut self, record: &LogRecord, show: &mut dyn FnMut(&str)) {
        self.last = Instant::now();
        if self.raw {
            show(&format_record(record, self.colour));
        }
        let found = self
            .finder
            .push(record.clone(), &text_of(&self.decoder, record));
        self.show(found, show);
    }

    /// Shows a report that is complete because the log has paused for long enough.
    pub fn pause(&mut self, show: &mut dyn FnMut(&str)) {
        let limit = match self.finder.has_ended() {
            true => PAUSE_AFTER_END,
            false => PAUSE,
        };
        if self.finder.holds() && self.last.elapsed() > limit {
            self.end(show);
        }
    }

    /// Shows what was held back, because no more records will come.
    pub fn end(&mut self, show: &mut dyn FnMut(&str)) {
        let found = self.finder.flush();
        self.show(found, show);
    }

    fn show(&mut self, found: Vec<Found<LogRecord>>, show: &mut dyn FnMut(&str)) {
        for found in found {
            match found {
                Found::Other(_) if self.raw => {}
                Found::Other(record) => show(&format_record(&record, self.colour)),
                Found::Report(report) => {
                    let cpu = report.main_stack().and_then(|s| s.cpu);
                    // A panic makes each processor print its stack, also the one that panicked.
                    let is_of_all = report.kind == ReportKind::Backtrace;
                    let again = is_of_all && cpu.is_some() && cpu == self.panicked_on;
                    if report.panicked || report.kind == ReportKind::Panic {
                        self.panicked_on = cpu;
                    }
                    if again && !self.raw {
                        continue;
                    }
                    let text = render_report(&self.decoder, &report, self.colour, self.raw);
                    show(&text);
                }
            }
        }
    }
}

/// Splits records into those that are not part of a report, and the reports.
pub fn split_reports(
    decoder: &Decoder,
    records: &[LogRecord],
) -> (Vec<LogRecord>, Vec<Report<LogRecord>>) {
    let mut finder = Finder::default();
    let mut found: Vec<_> = records
        .iter()
        .flat_map(|r| finder.push(r.clone(), &text_of(decoder, r)))
        .collect();
    found.extend(finder.flush());
    let (mut others, mut reports) = (Vec::new(), Vec::new());
    for found in found {
        match found {
            Found::Other(record) => others.push(record),
            Found::Report(report) => reports.push(*report),
        }
    }
    (others, reports)
}

/// Returns the text of a record of the kernel. What user space writes to the log is no report.
fn text_of(decoder: &Decoder, record: &LogRecord) -> String {
    match record.facility {
        0 => decoder
            .with_names(&escape_control_chars(&record.text))
            .into_owned(),
        _ => String::new(),
    }
}

/// Formats a report as it is shown.
pub fn render_report(
    decoder: &Decoder,
    report: &Report<LogRecord>,
    colour: bool,
    raw: bool,
) -> String {
    let decoded = decoder.decode(report);
    let time = report.items.first().map_or(0, |r| r.timestamp_us);
    decoded.text(&format_time(time, colour), &style(colour, raw))
}

/// Decodes the reports in some records.
pub fn decoded(decoder: &Decoder, records: &[LogRecord]) -> Vec<Decoded> {
    let (_, reports) = split_reports(decoder, records);
    reports.iter().map(|r| decoder.decode(r)).collect()
}

/// Splits the text of a log into pieces: its lines, and its reports decoded.
pub fn pieces(
    decoder: &Decoder,
    log: &str,
    raw: bool,
    style: &Style,
) -> Vec<(String, Option<Decoded>)> {
    let mut finder = Finder::default();
    let mut pieces = Vec::new();
    for line in log.lines() {
        // The kernel's own text stays where it is; what is decoded follows.
        if raw {
            pieces.push((escape_control_chars(line.trim_end_matches('\r')), None));
        }
        let plain = plain_line(line);
        let (before, text) = split_line(&plain);
        let found = finder.push_from(caller(before), line, &decoder.with_names(text));
        pieces.extend(
            found
                .into_iter()
                .filter_map(|f| piece(decoder, f, raw, style)),
        );
    }
    let found = finder.flush().into_iter();
    pieces.extend(found.filter_map(|f| piece(decoder, f, raw, style)));
    pieces
}

/// Formats what was found in the text of a log. With the raw text, all lines are shown already.
fn piece(
    decoder: &Decoder,
    found: Found<&str>,
    raw: bool,
    style: &Style,
) -> Option<(String, Option<Decoded>)> {
    match found {
        Found::Other(_) if raw => None,
        Found::Other(line) => Some((escape_control_chars(line.trim_end_matches('\r')), None)),
        Found::Report(report) => {
            let decoded = decoder.decode(&report);
            let first = plain_line(report.items.first().copied().unwrap_or_default());
            let before = escape_control_chars(split_line(&first).0);
            Some((decoded.text(&before, style), Some(decoded)))
        }
    }
}

/// Formats the text of a log, with its reports decoded.
pub fn text(decoder: &Decoder, log: &str, raw: bool, style: &Style) -> String {
    let pieces = pieces(decoder, log, raw, style);
    pieces.iter().map(|(text, _)| format!("{text}\n")).collect()
}

/// Returns the style in which reports are written.
pub fn style(colour: bool, raw: bool) -> Style<'static> {
    Style {
        colour,
        raw: (!raw).then_some("--raw shows them"),
    }
}

/// A part of the log that is kept for a report.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The lines as dmesg shows them.
    pub lines: Vec<String>,
    /// The text of the log with its oopses decoded.
    pub shown: String,
    pub decoded: Vec<Decoded>,
}

impl Log {
    pub fn new(context: &Context, decoder: &Decoder, records: &[LogRecord]) -> Log {
        let lines: Vec<String> = records.iter().map(|r| format_record(r, false)).collect();
        let style = style(false, context.raw);
        let pieces = pieces(decoder, &lines.join("\n"), context.raw, &style);
        Log {
            lines,
            shown: pieces.iter().map(|(text, _)| format!("{text}\n")).collect(),
            decoded: pieces
                .into_iter()
                .filter_map(|(_, decoded)| decoded)
                .collect(),
        }
    }

    /// Returns where the first report that involves a module happened, otherwise where the
    /// first report did.
    pub fn place(&self) -> Option<String> {
        let in_module = self.decoded.iter().find(|d| d.in_module());
        in_module.or(self.decoded.first())?.place()
    }
}
