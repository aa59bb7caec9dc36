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
}

impl Follower {
    /// Follows the log from the record `from` on. Oopses are decoded and shown once they are
    /// complete.
    pub fn start(context: &Context, session: &Session, from: u64, to: LogSink) -> Follower {
        let stop = Arc::new(AtomicBool::new(false));
        let mut stream = session.follow(from);
        let stopped = stop.clone();
        let decoder = oops::decoder(context);
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
                    if !is_settling(record) {
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
            for record in left.iter().filter(|r| !is_settling(r)) {
                renderer.next(record, &mut show);
            }
            renderer.end(&mut show);
        }
        self.session.log_since(self.from)
    }
}

/// Returns whether a record is about the clock, of which a kernel logs several in the first
/// seconds after booting. Next to a module's first records they only distract; `koru log`
/// shows them.
pub fn is_settling(record: &LogRecord) -> bool {
    record.timestamp_us < 10_000_000
        && ["tsc: ", "clocksource: "]
            .iter()
            .any(|p| record.text.starts_with(p))
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
