// SPDX-License-Identifier: MIT OR Apache-2.0

//! Shows the kernel log while it grows.

use std::{
    collections::HashSet,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use koru_klog::{LogRecord, format_record};
use koru_session::Session;

use crate::{
    context::Context,
    log::oops::{self, LogRenderer},
};

/// Returns whether all lines of a text are lines of these records.
pub fn log_contains_lines(log: &[LogRecord], text: &str) -> bool {
    let shown: Vec<String> = log.iter().map(|r| format_record(r, false)).collect();
    let shown: HashSet<&str> = shown.iter().flat_map(|t| t.lines()).collect();
    text.lines().all(|l| shown.contains(l))
}

/// Where log lines are shown.
#[derive(Clone, Copy)]
pub enum LogSink {
    Stdout,
    /// Standard error, next to a command's own output.
    Stderr,
    /// Nowhere: the caller reads the records at the end.
    Nowhere,
}

/// A thread that shows records as they come.
pub struct Follower {
    session: Session,
    from: u64,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<(u64, LogRenderer)>>,
    to: LogSink,
    raw: bool,
}

impl Follower {
    /// Follows the log from the record `from` on. Oopses are decoded and shown once they are
    /// complete.
    pub fn start(context: &Context, session: &Session, from: u64, to: LogSink) -> Follower {
        let stop = Arc::new(AtomicBool::new(false));
        let mut stream = session.follow(from);
        let stopped = stop.clone();
        let raw = context.raw;
        let decoder = oops::decoder_of(context, session);
        let mut renderer = LogRenderer::new(decoder, context.raw, context.ui.colour());
        let thread = std::thread::spawn(move || {
            let mut show = |text: &str| show(text, to);
            let mut next = from;
            while !stopped.load(Ordering::Relaxed) {
                let Ok(records) = stream.next(Duration::from_millis(50)) else {
                    break;
                };
                for record in &records {
                    next = record.seq + 1;
                    if raw || !is_noise(record) {
                        renderer.next(record, &mut show);
                    }
                }
                renderer.pause(&mut show);
            }
            (next, renderer)
        });
        Follower {
            session: session.clone(),
            from,
            stop,
            thread: Some(thread),
            to,
            raw,
        }
    }

    /// Shows what is left, and returns all records since the start.
    pub fn finish(mut self) -> Vec<LogRecord> {
        // A guest that is gone has sent all its records already.
        let _ = self.session.mark();
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Ok((next, mut renderer))) = self.thread.take().map(JoinHandle::join) {
            let mut show = |text: &str| show(text, self.to);
            let left = self.session.log_since(next);
            for record in left.iter().filter(|r| self.raw || !is_noise(r)) {
                renderer.next(record, &mut show);
            }
            renderer.end(&mut show);
        }
        self.session.log_since(self.from)
    }
}

/// Returns whether a record only distracts next to a module's own: one about the clock, of
/// which a kernel logs several in the first seconds after booting, or one of the two about the
/// taint of every module that is not part of the kernel. `koru log` and `--raw` show them.
pub fn is_noise(record: &LogRecord) -> bool {
    const TAINTS: [&str; 2] = [
        ": loading out-of-tree module taints kernel.",
        ": module verification failed: signature and/or required key missing - tainting kernel",
    ];
    let is_about_the_clock = record.timestamp_us < 10_000_000
        && ["tsc: ", "clocksource: "]
            .iter()
            .any(|p| record.text.starts_with(p));
    // koru's own NMI makes each processor print its stack, which takes its time.
    let is_about_the_nmi = record
        .text
        .starts_with("INFO: NMI handler (nmi_cpu_backtrace_handler)");
    record.facility == 0
        && (is_about_the_nmi
            || is_about_the_clock
            || TAINTS.iter().any(|end| record.text.ends_with(end)))
}

fn show(text: &str, to: LogSink) {
    // A reader that is gone is no reason to stop the guest.
    let _ = match to {
        LogSink::Stdout => writeln!(std::io::stdout(), "{text}"),
        LogSink::Stderr => writeln!(std::io::stderr(), "{text}"),
        LogSink::Nowhere => Ok(()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> LogRecord {
        LogRecord {
            seq: 1,
            level: 6,
            facility: 0,
            timestamp_us: 12_000_345,
            text: text.into(),
            continuation: false,
        }
    }

    #[test]
    fn taint_of_every_module_is_noise() {
        let taint = "hello: loading out-of-tree module taints kernel.";
        assert!(is_noise(&record(taint)));
        assert!(!is_noise(&record("hello: Hello world")));
        let of_a_program = LogRecord {
            facility: 1,
            ..record(taint)
        };
        assert!(!is_noise(&of_a_program));
    }

    #[test]
    fn what_was_shown() {
        let log = [record("one\ntwo"), record("three")];
        assert!(log_contains_lines(
            &log,
            "[   12.000345] three\n[   12.000345] one\ntwo\n"
        ));
        assert!(!log_contains_lines(&log, "[   12.000345] three\nfour\n"));
        assert!(log_contains_lines(&log, ""));
    }
}
