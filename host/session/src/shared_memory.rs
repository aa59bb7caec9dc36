// SPDX-License-Identifier: MIT OR Apache-2.0

//! The host's side of the memory that a guest shares with the host.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Mutex};

use koru_error::{IoContext, Result};
use koru_protocol::{RingAllocator, RingSlice, SHARED_BYTES, TO_GUEST, TO_HOST};

/// The shared memory: an unnamed file that QEMU maps. The host reads and writes it as a file,
/// because both ways lead to the same page cache.
pub struct SharedMemory {
    pub file: File,
    allocator: Mutex<RingAllocator>,
}

impl SharedMemory {
    /// Makes an empty file the shared memory, by giving it the size that the memory has to
    /// have.
    pub fn new(file: File) -> Result<Self> {
        file.set_len(SHARED_BYTES as u64)
            .context("making a file in memory")?;
        Ok(SharedMemory {
            file,
            allocator: Mutex::new(RingAllocator::new(TO_GUEST)),
        })
    }

    /// Puts bytes into the memory for the guest; returns `None` while there is not enough
    /// space.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Option<RingSlice>> {
        let mut allocator = self.allocator.lock().unwrap_or_else(|e| e.into_inner());
        let mut taken = [0; 8];
        self.file
            .read_exact_at(&mut taken, TO_GUEST.taken_at() as u64)?;
        let slice = allocator.allocate(bytes.len(), u64::from_le_bytes(taken));
        let range = slice.and_then(|slice| TO_GUEST.range(slice));
        if let Some(range) = range {
            self.file.write_all_at(bytes, range.start as u64)?;
        }
        Ok(slice)
    }

    /// Takes bytes that the guest has put into the memory, and frees their space.
    pub fn take(&self, slice: RingSlice) -> io::Result<Vec<u8>> {
        let range = TO_HOST.range(slice).ok_or(io::ErrorKind::InvalidData)?;
        let mut bytes = vec![0; range.len()];
        self.file.read_exact_at(&mut bytes, range.start as u64)?;
        let taken = slice.end.to_le_bytes();
        self.file.write_all_at(&taken, TO_HOST.taken_at() as u64)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> SharedMemory {
        SharedMemory::new(tempfile::tempfile().unwrap()).unwrap()
    }

    #[test]
    fn there_is_room_until_it_is_full() {
        let memory = memory();
        let half = vec![1; TO_GUEST.longest() / 2];
        for _ in 0..2 {
            assert!(memory.put(&half).unwrap().is_some());
        }
        assert!(memory.put(&half).unwrap().is_none());
    }

    #[test]
    fn no_lie_of_the_guest_reaches_beyond_its_area() {
        let memory = memory();
        for (end, length) in [(0, 1), (u64::MAX, u32::MAX), (5, 6)] {
            assert!(
                memory.take(RingSlice { end, length }).is_err(),
                "{end} {length}"
            );
        }
        let whole = RingSlice {
            end: TO_HOST.longest() as u64,
            length: TO_HOST.longest() as u32,
        };
        assert_eq!(memory.take(whole).unwrap().len(), TO_HOST.longest());
    }
}
