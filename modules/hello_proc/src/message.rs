// SPDX-License-Identifier: GPL-2.0-only

//! What the file says.

use kernel::prelude::*;
use kernel::uaccess::UserSliceReader;

/// The largest length of a message, in bytes.
pub(crate) const MAX_LEN: usize = 100;

/// Bytes, of which any may be NUL, and their number: not a C string.
#[derive(Clone, Copy)]
pub(crate) struct Message {
    bytes: [u8; MAX_LEN],
    len: usize,
}

impl Message {
    /// What the file says until someone writes.
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

    /// All that a writer has to say.
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
