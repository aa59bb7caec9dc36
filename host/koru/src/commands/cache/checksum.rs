// SPDX-License-Identifier: MIT OR Apache-2.0

//! The checksum of an archive's entries: of their names, permissions and contents.

use std::{
    io,
    os::unix::ffi::OsStrExt,
    path::{Component, Path},
};

use sha2::{Digest, Sha256};

use super::interrupt::Interrupt;

#[derive(Default)]
pub struct Checksum(Sha256);

impl Checksum {
    /// Adds the header of an entry.
    pub fn add_header(&mut self, kind: u8, path: &Path, mode: u32, length: u64) {
        self.0.update([kind]);
        self.add_path(path);
        self.0.update(mode.to_le_bytes());
        self.0.update(length.to_le_bytes());
    }

    /// Adds a path, such as a link's target, without what an archive may change of its form.
    pub fn add_path(&mut self, path: &Path) {
        for part in path.components().filter(|p| *p != Component::CurDir) {
            let part = part.as_os_str().as_bytes();
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self.0.update([0]);
    }

    pub fn add_content(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn hex(self) -> String {
        let digest = self.0.finalize();
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// A reader whose content is added to a checksum, and which Ctrl-C ends.
pub struct Summed<'a, R> {
    pub reader: R,
    pub checksum: &'a mut Checksum,
    pub interrupt: &'a Interrupt,
    /// The number of bytes that were read.
    pub length: u64,
}

impl<R: io::Read> io::Read for Summed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt.check()?;
        let read = self.reader.read(buffer)?;
        self.checksum.add_content(&buffer[..read]);
        self.length += read as u64;
        Ok(read)
    }
}
