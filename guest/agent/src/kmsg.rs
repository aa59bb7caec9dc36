// SPDX-License-Identifier: MIT OR Apache-2.0

//! Sends the kernel log, record by record.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};

use koru_protocol::{LogRecord, ToHost, parse_kmsg};
use rustix::{
    event::{PollFd, PollFlags, poll},
    pipe::{PipeFlags, pipe_with},
};

use crate::serial::Line;

/// The level (warning) up to which records from before the agent's start are sent: a stock
/// kernel's boot has 400 lines, for which the serial line is slow.
pub const BOOT_LEVEL: u8 = 4;

/// The level that includes all records.
pub const ALL: u8 = 7;

/// The number of records that are sent at once.
const BATCH: usize = 256;

/// A handle to the thread that reads `/dev/kmsg`.
pub struct Log {
    wake: Mutex<File>,
    asked: Sender<Sender<u64>>,
}

impl Log {
    /// Sends the existing records up to the level `old`, then continues in a thread of its
    /// own.
    pub fn start(line: Arc<Line>, old: u8) -> io::Result<Arc<Self>> {
        let kmsg = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")?;
        let (wake_in, wake_out) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let (asked, asks) = channel();
        let mut reader = Reader {
            kmsg,
            line,
            next: 0,
            batch: Vec::new(),
        };
        reader.drain(|record| record.level <= old);
        std::thread::Builder::new()
            .name("kmsg".into())
            .spawn(move || reader.run(wake_in.into(), asks))?;
        Ok(Arc::new(Log {
            wake: Mutex::new(wake_out.into()),
            asked,
        }))
    }

    /// Waits until every record up to now has been sent, and returns the sequence number of
    /// the next one.
    pub fn mark(&self) -> u64 {
        let (answer, answered) = channel();
        let _ = self.asked.send(answer);
        // A full pipe wakes the thread as well.
        let _ = self
            .wake
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .write_all(&[0]);
        answered.recv().unwrap_or(0)
    }
}

struct Reader {
    kmsg: File,
    line: Arc<Line>,
    next: u64,
    batch: Vec<ToHost>,
}

impl Reader {
    fn run(&mut self, mut wake: File, asks: Receiver<Sender<u64>>) {
        loop {
            let mut ready = [
                PollFd::new(&self.kmsg, PollFlags::IN),
                PollFd::new(&wake, PollFlags::IN),
            ];
            let _ = poll(&mut ready, None);
            let _ = wake.read(&mut [0; 64]);
            // The requests are taken before the read, so the records that they wait for are
            // there.
            let pending: Vec<_> = asks.try_iter().collect();
            self.drain(|_| true);
            for ask in pending {
                let _ = ask.send(self.next);
            }
        }
    }

    /// Sends all wanted records that are there now.
    fn drain(&mut self, wanted: impl Fn(&LogRecord) -> bool) {
        let mut buffer = [0; 8192];
        loop {
            match self.kmsg.read(&mut buffer) {
                Ok(length) => {
                    let Some(record) = parse_kmsg(&buffer[..length]) else {
                        continue;
                    };
                    self.next = record.seq + 1;
                    if wanted(&record) {
                        self.push(ToHost::Log(record));
                    }
                }
                // Records were overwritten before this read; the next read returns the oldest
                // one left.
                Err(e) if e.kind() == ErrorKind::BrokenPipe => self.push(ToHost::LogLost),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.flush();
    }

    fn push(&mut self, message: ToHost) {
        self.batch.push(message);
        if self.batch.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.line.send_all(&self.batch);
            self.batch.clear();
        }
    }
}
