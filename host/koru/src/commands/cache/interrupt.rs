// SPDX-License-Identifier: MIT OR Apache-2.0

//! Ctrl-C in commands that have something temporary to remove.

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

use crate::ctrl_c::INTERRUPTED;

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
