// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the user sees: a status line on a terminal, plain lines elsewhere.

use std::{
    io::{ErrorKind, IsTerminal, Write},
    os::fd::AsFd,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use koru_error::Error;
use koru_kernels::Progress;
use koru_klog::escape_control_chars;
use koru_protocol::ModuleRow;
use rustix::termios::tcgetwinsize;

/// Returns a table that is as wide as the terminal, or as `COLUMNS` says, and without either as
/// wide as it needs to be.
pub fn new_table() -> Table {
    let stdout = std::io::stdout();
    let columns = stdout
        .is_terminal()
        .then(|| tcgetwinsize(stdout.as_fd()).ok())
        .flatten()
        .map(|size| size.ws_col)
        .filter(|columns| *columns > 0)
        .or_else(|| std::env::var("COLUMNS").ok()?.parse().ok());
    let mut table = Table::new();
    match columns {
        Some(columns) => table
            .load_preset(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(columns),
        None => table
            .load_preset(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

/// Draws the progress of a command on standard error.
pub struct Ui {
    /// The status line: present while something is being done, on a terminal.
    bar: Mutex<Option<ProgressBar>>,
    terminal: bool,
    last: Mutex<String>,
    quiet: bool,
    colour: bool,
}

impl Ui {
    /// Creates the user interface. If `quiet` (`--json`, `--quiet`), it shows errors but no
    /// progress.
    pub fn new(quiet: bool) -> Ui {
        // A dumb terminal can neither move its cursor nor show colours, and nobody knows what one
        // without a type can do. The status line's own rule is the same.
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let terminal = std::io::stderr().is_terminal() && !dumb;
        Ui {
            bar: Mutex::new(None),
            terminal,
            last: Mutex::new(String::new()),
            quiet,
            colour: terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        }
    }

    /// Returns whether standard error takes colours.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Ends the status line, so that a command's own output starts clean.
    pub fn done(&self) {
        if let Some(bar) = self.bar.lock().expect("no panic while held").take() {
            bar.finish_and_clear();
        }
        self.last.lock().expect("no panic while held").clear();
    }

    /// Shows how far something is: `now` on a terminal; elsewhere, only `what` and only once.
    pub fn progress(&self, what: &str, now: &str) {
        self.status(if self.terminal { now } else { what });
    }

    /// Prints a line for people that stays; prints nothing with `--json` or `--quiet`.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.print(text);
        }
    }

    /// Shows a failure: what was attempted, what went wrong, what to do.
    pub fn error(&self, error: &Error) {
        self.done();
        if let Some(output) = &error.output {
            err(output.trim_end());
        }
        let (red, bold, plain) = self.paint();
        // The hints are below the output that they explain, which may be long.
        for hint in error.hints() {
            err(&self.hint(&hint.to_string()));
        }
        err(&format!(
            "{red}error{plain}{bold}: {}{plain}: {}",
            // Words of the guest may be in them.
            escape_control_chars(&error.context),
            escape_control_chars(&error.message)
        ));
        if let Some(help) = &error.help {
            for line in help.lines() {
                err(&format!("  {bold}→{plain} {line}"));
            }
        }
    }

    /// Shows what is wrong although nothing failed, and what to do about it.
    pub fn warn(&self, text: &str, help: &str) {
        let (yellow, bold, plain) = match self.colour {
            true => ("\x1b[1;33m", "\x1b[1m", "\x1b[0m"),
            false => ("", "", ""),
        };
        self.print(&format!(
            "{yellow}warning{plain}{bold}: {text}{plain}\n  {bold}→{plain} {help}"
        ));
    }

    /// Returns `text` in the form of rustc's suggestions.
    fn hint(&self, text: &str) -> String {
        let (_, bold, plain) = self.paint();
        format!("{bold}help{plain}: {text}")
    }

    /// Returns `text` in the form of cargo's notes.
    pub fn note(&self, text: &str) -> String {
        let (_, bold, plain) = self.paint();
        format!("{bold}note{plain}: {text}")
    }

    fn paint(&self) -> (&'static str, &'static str, &'static str) {
        if self.colour {
            ("\x1b[1;31m", "\x1b[1m", "\x1b[0m")
        } else {
            ("", "", "")
        }
    }
}

impl Progress for Ui {
    fn status(&self, text: &str) {
        if self.quiet {
            return;
        }
        if self.terminal {
            let mut bar = self.bar.lock().expect("no panic while held");
            bar.get_or_insert_with(spinner).set_message(text.to_owned());
            return;
        }
        let mut last = self.last.lock().expect("no panic while held");
        if *last != text {
            err(&format!("koru: {text}"));
            text.clone_into(&mut last);
        }
    }

    fn print(&self, text: &str) {
        match &*self.bar.lock().expect("no panic while held") {
            Some(bar) => bar.suspend(|| err(text)),
            None => err(text),
        }
    }
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner:.cyan} {wide_msg} {elapsed:.dim}");
    let bar = ProgressBar::new_spinner().with_style(style.expect("a fixed template"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Whether the result of the command was printed as JSON.
static RESULT_IS_PRINTED: AtomicBool = AtomicBool::new(false);

pub fn has_printed_result() -> bool {
    RESULT_IS_PRINTED.load(Ordering::Relaxed)
}

/// Prints the result of a command as JSON on standard output.
pub fn json(value: &impl serde::Serialize) {
    RESULT_IS_PRINTED.store(true, Ordering::Relaxed);
    let text = serde_json::to_string_pretty(value).expect("our types have string keys");
    out(&text);
}

/// Prints a line on standard output. If the reader is gone, the program ends quietly, as other
/// commands do.
pub fn out(text: &str) {
    let line = format!("{text}\n");
    match write_all(&mut std::io::stdout().lock(), line.as_bytes()) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(141),
        Err(e) => {
            err(&format!("error: writing to standard output: {e}"));
            std::process::exit(1);
        }
    }
}

/// Prints a line on standard error. If nobody can read it, nothing else can be done.
pub fn err(text: &str) {
    let line = format!("{text}\n");
    let _ = write_all(&mut std::io::stderr().lock(), line.as_bytes());
}

/// Writes all of `bytes`, also to a pipe that does not block and is full: it may share that
/// setting with another program's output.
pub fn write_all(to: &mut impl Write, mut bytes: &[u8]) -> std::io::Result<()> {
    loop {
        let written = match bytes {
            [] => to.flush().map(|()| 0),
            _ => to.write(bytes),
        };
        match written {
            Ok(_) if bytes.is_empty() => return Ok(()),
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(e) => return Err(e),
        }
    }
}

/// Formats rows below a header, with aligned columns.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (w, cell) in widths.iter_mut().zip(row) {
            *w = (*w).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| -> String {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, w)| format!("{cell:w$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut header.iter().copied())];
    lines.extend(rows.iter().map(|r| line(&mut r.iter().map(String::as_str))));
    lines.join("\n")
}

/// Returns modules as lsmod prints them.
pub fn lsmod(rows: &[ModuleRow]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|m| {
            let users = m.refcount.map_or("-".into(), |n| n.to_string());
            vec![
                m.name.clone(),
                m.size.to_string(),
                format!("{users} {}", m.used_by.join(",")),
            ]
        })
        .collect();
    table(&["Module", "Size", "Used by"], &rows)
}
