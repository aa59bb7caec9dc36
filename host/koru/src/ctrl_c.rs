// SPDX-License-Identifier: MIT OR Apache-2.0

//! Ctrl-C in commands that report their results so far, or have something temporary to remove.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use koru_error::{IoContext, Result};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};

/// The exit status of a command that Ctrl-C ended, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// Returns a flag that Ctrl-C sets, so that the results so far are reported. The second Ctrl-C
/// ends the program.
pub fn flag_of_ctrl_c() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(SIGINT, i32::from(INTERRUPTED), interrupted.clone())
        .and_then(|_| flag::register(SIGINT, interrupted.clone()))
        .context("waiting for Ctrl-C")?;
    Ok(interrupted)
}

/// Whether somebody wants the command to end.
#[derive(Clone)]
pub struct Interrupt {
    has_come: Arc<AtomicBool>,
    /// Whether a signal ends the program at once.
    ends_at_once: Arc<AtomicBool>,
}

impl Interrupt {
    /// Lets Ctrl-C end the program at once until something temporary is made. After that, the
    /// first Ctrl-C is noted, and the second one ends the program.
    pub fn new() -> Result<Interrupt> {
        let has_come = Arc::new(AtomicBool::new(false));
        let ends_at_once = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let status = i32::from(INTERRUPTED);
            flag::register_conditional_shutdown(signal, status, ends_at_once.clone())
                .and_then(|_| flag::register(signal, ends_at_once.clone()))
                .and_then(|_| flag::register(signal, has_come.clone()))
                .context("waiting for Ctrl-C")?;
        }
        Ok(Interrupt {
            has_come,
            ends_at_once,
        })
    }

    /// Has signals noted from now on, because there is something temporary to remove.
    pub fn note_from_now_on(&self) {
        self.ends_at_once.store(false, Ordering::Relaxed);
    }

    pub fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }

    pub fn check(&self) -> io::Result<()> {
        match self.has_come() {
            true => Err(io::Error::other("interrupted")),
            false => Ok(()),
        }
    }
}

/// A reader that Ctrl-C ends.
pub struct Interruptible<'a, R> {
    pub reader: R,
    pub interrupt: &'a Interrupt,
    /// The number of bytes that were read.
    pub length: u64,
}

impl<R: io::Read> io::Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt.check()?;
        let read = self.reader.read(buffer)?;
        self.length += read as u64;
        Ok(read)
    }
}
