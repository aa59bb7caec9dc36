// SPDX-License-Identifier: GPL-2.0-only

//! The message that the file shows.

use kernel::prelude::*;
use kernel::uaccess::UserSliceReader;

/// The maximum length of a message, in bytes.
pub(crate) const MAX_LEN: usize = 100;

/// A number of bytes, any of which may be NUL: not a C string.
#[derive(Clone, Copy)]
pub(crate) struct Message {
    bytes: [u8; MAX_LEN],
    len: usize,
}

impl Message {
    /// Returns the message that the file shows until somebody writes.
    pub(crate) fn hello() -> Self {
        const HELLO: &[u8; 12] = b"Hello World\n";
        let mut bytes = [0; MAX_LEN];
        if let Some(start) = bytes.first_chunk_mut() {
            *start = *HELLO;
        }
        Self {
            bytes,
            len: HELLO.len(),
        }
    }

    /// Reads a whole message from a writer.
    pub(crate) fn read(from: &mut UserSliceReader) -> Result<Self> {
        let len = from.len();
        let mut bytes = [0; MAX_LEN];
        let text = bytes.get_mut(..len).ok_or(EMSGSIZE)?;
        from.read_slice(text)?;
        Ok(Self { bytes, len })
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
