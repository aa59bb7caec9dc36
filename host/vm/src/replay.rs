// SPDX-License-Identifier: MIT OR Apache-2.0

//! A run that is the same every time, byte for byte.
//!
//! The guest's time is the number of instructions that it has executed, its random
//! numbers begin with a seed, and all that it is to do lies in its memory before it
//! goes on from a saved machine: nothing of the host's is left in it.

use std::{io::ErrorKind, os::unix::fs::FileExt};

use koru_error::IoContext;
use koru_protocol::{Call, Piece, SCRIPT_AT};
use koru_qemu::{Accel, BootImage, REPLAY_START_SECONDS};
use koru_session::{Result, Script, ScriptRun, SharedMemory};
use sha2::{Digest, Sha256};

use crate::{Guest, GuestConfig, launch::shared_memory, snapshot};

/// A guest that plays a script.
pub struct Replay {
    guest: Guest,
    script_run: ScriptRun,
}

impl Replay {
    /// Starts it. The same guest, seed and script give the same run.
    pub fn start(mut config: GuestConfig, seed: u64, script: &Script) -> Result<Replay> {
        // Not the processors' time slices decide who is next.
        config.cpus = 1;
        config.replay = Some(seed);
        let image = BootImage::prepare(&config.kernel, &config.cache)?;
        let mut files = Vec::new();
        config.files.write_to(&mut files)?;
        let shared = shared_memory()?;
        let resume = Call::Resume {
            seconds: REPLAY_START_SECONDS,
            nanos: 0,
            seed: Sha256::digest(seed.to_le_bytes()).into(),
            files: put(&shared, &files)?,
        };
        let frames = put(&shared, &script.frames(resume))?;
        let place = [frames.end, frames.length.into()].map(u64::to_le_bytes);
        shared
            .file
            .write_all_at(&place.concat(), SCRIPT_AT as u64)
            .context(SHARE)?;
        let (mut guest, start) = snapshot::resume_or_create(&config, &image, Accel::Tcg, shared)
            .inspect_err(|_| snapshot::discard(&config, &image, Accel::Tcg))?;
        let script_run = guest.session().script_run(script)?;
        if let Some(ready) = guest.session().ready() {
            guest.set_ready(ready, start.elapsed());
        }
        Ok(Replay { guest, script_run })
    }

    /// Where it plays. Nothing can be asked of it.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// What becomes of the script.
    pub fn script_run(&self) -> &ScriptRun {
        &self.script_run
    }
}

const SHARE: &str = "giving the guest its files";

/// Puts bytes where the guest finds them.
fn put(shared: &SharedMemory, bytes: &[u8]) -> Result<Piece> {
    let piece = shared.put(bytes);
    let piece = piece.and_then(|piece| piece.ok_or(ErrorKind::FileTooLarge.into()));
    Ok(piece.context(SHARE)?)
}
