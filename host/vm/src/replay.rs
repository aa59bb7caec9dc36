// SPDX-License-Identifier: MIT OR Apache-2.0

//! Replays: runs that are the same every time, byte for byte.
//!
//! The guest's time is the number of instructions that it has executed, its random numbers
//! begin with a seed, and everything that it is to do is in its memory before it resumes from
//! a snapshot. Nothing that depends on the host is left.

use std::{io::ErrorKind, os::unix::fs::FileExt};

use koru_error::IoContext;
use koru_protocol::{Call, RingSlice, SCRIPT_AT};
use koru_qemu::{Accel, BootImage, REPLAY_START_SECONDS, Replayed};
use koru_session::{Result, Script, ScriptRun, SharedMemory};
use sha2::{Digest, Sha256};

use crate::{Guest, GuestConfig, launch::shared_memory, snapshot};

/// A guest that plays a script.
pub struct Replay {
    guest: Guest,
    script_run: ScriptRun,
}

impl Replay {
    /// Starts a guest that plays a script. An equal guest, seed, shift and script give an equal
    /// run.
    pub fn start(mut config: GuestConfig, replayed: Replayed, script: &Script) -> Result<Replay> {
        // With one processor, the host's scheduler does not decide which processor is next.
        config.cpus = 1;
        config.replay = Some(replayed);
        let image = BootImage::prepare(&config.kernel, &config.cache)?;
        let mut files = Vec::new();
        config.files.write_to(&mut files)?;
        let shared = shared_memory()?;
        let resume = Call::Resume {
            seconds: REPLAY_START_SECONDS,
            nanos: 0,
            seed: Sha256::digest(replayed.seed.to_le_bytes()).into(),
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

    /// Returns the guest that plays the script. The guest answers no other calls.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Returns the script's run.
    pub fn script_run(&self) -> &ScriptRun {
        &self.script_run
    }
}

const SHARE: &str = "giving the guest its files";

/// Puts bytes into the shared memory, where the guest finds them.
fn put(shared: &SharedMemory, bytes: &[u8]) -> Result<RingSlice> {
    let slice = shared.put(bytes);
    let slice = slice.and_then(|slice| slice.ok_or(ErrorKind::FileTooLarge.into()));
    Ok(slice.context(SHARE)?)
}
