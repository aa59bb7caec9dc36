// SPDX-License-Identifier: MIT OR Apache-2.0

//! Keeps what the guest writes to its console, as evidence.

use std::{
    io::Read,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

/// The number of bytes that are kept: a guest that floods its console must not fill the host's
/// memory.
const KEPT: usize = 4 << 20;

/// The text of the console so far.
#[derive(Debug, Clone, Default)]
pub struct Console(Arc<Mutex<Vec<u8>>>);

impl Console {
    /// Reads the console in a thread until the other end closes.
    pub fn read_from(self, mut from: impl Read + Send + 'static) -> JoinHandle<()> {
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                let mut kept = self.0.lock().unwrap_or_else(|e| e.into_inner());
                kept.extend_from_slice(&buffer[..length]);
                let excess = kept.len().saturating_sub(2 * KEPT);
                if excess > 0 {
                    let cut = kept.len() - KEPT;
                    kept.drain(..cut);
                }
            }
        })
    }

    /// Returns everything that is kept, without carriage returns.
    pub fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(|e| e.into_inner());
        String::from_utf8_lossy(&kept).replace('\r', "")
    }

    /// Returns the last lines.
    pub fn tail(&self, lines: usize) -> String {
        let text = self.text();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}
