// SPDX-License-Identifier: MIT OR Apache-2.0

//! The output of a guest that is replayed: files, and threads that copy them to sockets.

use std::{
    fs::File,
    io::Write,
    os::unix::{fs::FileExt, net::UnixStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use koru_error::{IoContext, Result};

use crate::memory_file::memory_file;

/// Files for what the guest writes. A write to a file waits for nobody, while a full socket
/// makes the guest wait for the host.
pub(crate) struct OutputFiles {
    pub console: File,
    pub protocol: File,
}

/// Stops the threads that copy the output when it is dropped. They stop once they have copied
/// all of it.
#[derive(Default)]
pub(crate) struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl OutputFiles {
    pub fn new() -> Result<OutputFiles> {
        Ok(OutputFiles {
            console: memory_file("console")?,
            protocol: memory_file("protocol")?,
        })
    }

    /// Copies what is written to the files, until the returned value is dropped.
    pub fn copy_to(&self, console: &UnixStream, protocol: &UnixStream) -> Result<StopOnDrop> {
        let stop = StopOnDrop::default();
        for (from, to) in [(&self.console, console), (&self.protocol, protocol)] {
            let from = from.try_clone().context("sharing a file")?;
            let to = to.try_clone().context("sharing a socket")?;
            let ended = stop.0.clone();
            thread::Builder::new()
                .name("guest-output".into())
                .spawn(move || copy(&from, to, &ended))
                .context("starting a thread")?;
        }
        Ok(stop)
    }
}

fn copy(from: &File, mut to: UnixStream, stop: &AtomicBool) {
    const PAUSE: Duration = Duration::from_millis(5);
    let mut at = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // The flag is read before the file: what was written before the flag was set is read
        // below.
        let last = stop.load(Ordering::Acquire);
        match from.read_at(&mut buffer, at) {
            Ok(0) if last => return,
            Ok(0) => thread::sleep(PAUSE),
            Ok(length) if to.write_all(&buffer[..length]).is_ok() => at += length as u64,
            Ok(_) | Err(_) => return,
        }
    }
}
