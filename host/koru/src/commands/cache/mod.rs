// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru cache`: carries the cache to another machine, in one file.
//!
//! The file is a tar archive, compressed with gzip. It has entries of the cache as `KIND/NAME/..`,
//! files of cargo's registry as `cargo/registry/..`, and a checksum of all this at the end.

mod checksum;
mod crates;
mod export;
mod import;

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

use crate::{cli::CacheCommand, context::Context, ctrl_c::INTERRUPTED};

/// The kinds of entries that are the same on every machine.
const KINDS: [&str; 4] = ["kernels", "sysroots", "tools", "userlands"];

/// The place of cargo's registry in the archive.
const REGISTRY: &str = "cargo/registry";

/// The last file of the archive.
const CHECKSUM: &str = "koru-cache-checksum";

pub fn cache(context: &Context, command: &CacheCommand) -> Result<u8> {
    let interrupt = Interrupt::new()?;
    let done = match command {
        CacheCommand::Export { file } => export::export(context, file, &interrupt),
        CacheCommand::Import { file } => import::import(context, file, &interrupt),
    };
    match done {
        // The error is only how the work ended; everything temporary is gone by now.
        Err(_) if interrupt.has_come() => Ok(INTERRUPTED),
        done => done.map(|()| 0),
    }
}

/// Whether somebody wants the command to end.
#[derive(Clone)]
struct Interrupt {
    has_come: Arc<AtomicBool>,
    /// Whether a signal ends the program at once.
    ends_at_once: Arc<AtomicBool>,
}

impl Interrupt {
    /// Lets Ctrl-C end the program at once until something temporary is made. After that, the
    /// first Ctrl-C is noted, and the second one ends the program.
    fn new() -> Result<Interrupt> {
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
    fn note_from_now_on(&self) {
        self.ends_at_once.store(false, Ordering::Relaxed);
    }

    fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }

    fn check(&self) -> io::Result<()> {
        match self.has_come() {
            true => Err(io::Error::other("interrupted")),
            false => Ok(()),
        }
    }
}
