//! A run that is the same every time, byte for byte.
//!
//! The guest's time is the number of instructions that it has executed, its random
//! numbers begin with a seed, and all that it is to do lies in its memory before it
//! goes on from a saved machine: nothing of the host's is left in it.

use crate::{
    Accel, Guest, GuestConfig, Playing, Result, Script, error::doing, kernel::BootImage, qemu,
    saved, shared::SharedMemory,
};
use koru_protocol::{Call, Piece, SCRIPT_AT};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{ErrorKind, Write},
    os::unix::{fs::FileExt, net::UnixStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Every such guest begins at this time.
pub(crate) const RTC_BASE: &str = "2026-01-01T00:00:00";
const BEGIN: i64 = 1_767_225_600;

/// A guest that plays a script.
pub struct Replay {
    guest: Guest,
    playing: Playing,
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
        let shared = SharedMemory::new()?;
        let resume = Call::Resume {
            seconds: BEGIN,
            nanos: 0,
            seed: Sha256::digest(seed.to_le_bytes()).into(),
            files: put(&shared, &files)?,
        };
        let frames = put(&shared, &script.frames(resume))?;
        let place = [frames.end, frames.length.into()].map(u64::to_le_bytes);
        shared
            .file
            .write_all_at(&place.concat(), SCRIPT_AT as u64)
            .map_err(doing(SHARE))?;
        let (mut guest, start) = saved::resumed(&config, &image, Accel::Tcg, shared)
            .inspect_err(|_| saved::forget(&config, &image, Accel::Tcg))?;
        let playing = guest.session().playing(script)?;
        if let Some(ready) = guest.session().ready() {
            guest.is_ready(ready, start.elapsed());
        }
        Ok(Replay { guest, playing })
    }

    /// Where it plays. Nothing can be asked of it.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// What becomes of the script.
    pub fn playing(&self) -> &Playing {
        &self.playing
    }
}

const SHARE: &str = "give the guest its files";

/// Puts bytes where the guest finds them.
fn put(shared: &SharedMemory, bytes: &[u8]) -> Result<Piece> {
    shared
        .put(bytes)
        .and_then(|piece| piece.ok_or(ErrorKind::FileTooLarge.into()))
        .map_err(doing(SHARE))
}

/// What the guest writes, in files: writing there waits for nobody.
pub(crate) struct Outputs {
    pub console: File,
    pub protocol: File,
}

/// Tells those who pass on that there will be no more. Told when dropped.
#[derive(Default)]
pub(crate) struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Outputs {
    pub fn new() -> Result<Outputs> {
        Ok(Outputs {
            console: qemu::memory_file("console")?,
            protocol: qemu::memory_file("protocol")?,
        })
    }

    /// Passes on what is written there, until that is over.
    pub fn pass_on(&self, console: &UnixStream, protocol: &UnixStream) -> Result<Over> {
        let over = Over::default();
        for (from, to) in [(&self.console, console), (&self.protocol, protocol)] {
            let from = from.try_clone().map_err(doing("share a file"))?;
            let to = to.try_clone().map_err(doing("share a socket"))?;
            let ended = over.0.clone();
            thread::Builder::new()
                .name("guest-output".into())
                .spawn(move || pass_on(&from, to, &ended))
                .map_err(doing("start a thread"))?;
        }
        Ok(over)
    }
}

fn pass_on(from: &File, mut to: UnixStream, over: &AtomicBool) {
    const PAUSE: Duration = Duration::from_millis(5);
    let mut at = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // Asked before the read: what was written until then is read below.
        let last = over.load(Ordering::Acquire);
        match from.read_at(&mut buffer, at) {
            Ok(0) if last => return,
            Ok(0) => thread::sleep(PAUSE),
            Ok(length) if to.write_all(&buffer[..length]).is_ok() => at += length as u64,
            Ok(_) | Err(_) => return,
        }
    }
}
