// SPDX-License-Identifier: MIT OR Apache-2.0

//! Keeps what a program prints, up to a limit.

use std::{
    io::{ErrorKind, Read},
    sync::atomic::{AtomicU64, Ordering},
};

/// The number of bytes that both streams of a program may still add.
pub struct Budget {
    left: AtomicU64,
    limit: u64,
    lost: AtomicU64,
}

impl Budget {
    pub fn new(limit: u64) -> Budget {
        Budget {
            left: AtomicU64::new(limit),
            limit,
            lost: AtomicU64::new(0),
        }
    }

    /// Reads a stream to its end. What is beyond the limit is read and dropped, so that the
    /// program does not wait for a reader.
    pub fn read(&self, mut stream: impl Read, seen: &(dyn Fn(&[u8]) + Sync)) -> Vec<u8> {
        let mut kept = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match stream.read(&mut buffer) {
                Ok(0) => return kept,
                Ok(read) => read,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return kept,
            };
            let part = &buffer[..self.grant(read)];
            if !part.is_empty() {
                seen(part);
            }
            kept.extend_from_slice(part);
        }
    }

    /// Returns how many of `wanted` bytes may be kept.
    fn grant(&self, wanted: usize) -> usize {
        let take = |left: u64| Some(left.saturating_sub(wanted as u64));
        let left = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .unwrap_or_default();
        let granted = usize::try_from(left).map_or(wanted, |left| left.min(wanted));
        self.lost
            .fetch_add((wanted - granted) as u64, Ordering::Relaxed);
        granted
    }

    /// Returns a line that says how much is missing, if any is.
    pub fn note(&self) -> Option<String> {
        let lost = self.lost.load(Ordering::Relaxed);
        (lost > 0).then(|| {
            format!(
                "[{} more output not shown: the limit is {}]\n",
                size(lost),
                size(self.limit)
            )
        })
    }
}

/// Returns a number of bytes in words.
pub fn size(bytes: u64) -> String {
    const MEGABYTE: u64 = 1 << 20;
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..MEGABYTE => format!("{} kB", bytes / 1024),
        _ => format!("{} MB", bytes / MEGABYTE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_beyond_the_limit_is_dropped_and_told() {
        let budget = Budget::new(10);
        let seen = AtomicU64::new(0);
        let count = |part: &[u8]| {
            seen.fetch_add(part.len() as u64, Ordering::Relaxed);
        };
        assert_eq!(budget.read(&b"1234567"[..], &count), b"1234567");
        assert_eq!(budget.note(), None);
        assert_eq!(budget.read(&b"abcdefgh"[..], &count), b"abc");
        assert_eq!(budget.read(&[b'x'; 3000][..], &count), b"");
        assert_eq!(seen.load(Ordering::Relaxed), 10);
        let note = budget.note().unwrap();
        assert_eq!(
            note,
            "[2 kB more output not shown: the limit is 10 bytes]\n"
        );
    }
}
