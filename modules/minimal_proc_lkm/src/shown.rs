// SPDX-License-Identifier: GPL-2.0-only

//! The form in which the log shows what was written.

use core::fmt::{self, Write};
use kernel::print::{kmsg_len, MAX_KMSG, MAX_MESSAGE};
use kernel::str::Formatter;

/// A buffer for the text of one record, which leaves `RECORD_OVERHEAD` bytes to the printer.
pub(crate) struct Shown<const RECORD_OVERHEAD: usize> {
    text: [u8; MAX_MESSAGE],
    len: usize,
    /// The length of the text for readers of /dev/kmsg.
    kmsg: usize,
}

impl<const RECORD_OVERHEAD: usize> Shown<RECORD_OVERHEAD> {
    pub(crate) const fn new() -> Self {
        Self {
            text: [0; MAX_MESSAGE],
            len: 0,
            kmsg: 0,
        }
    }

    /// Appends as much of `bytes` as fits, in a form that forges nothing; returns the number of
    /// bytes taken.
    ///
    /// A character is taken as a whole or not at all. `more` says that further bytes follow: a
    /// character whose first bytes are the last ones here is then left for the next call.
    pub(crate) fn take(&mut self, bytes: &[u8], more: bool) -> usize {
        let mut taken = 0;
        let mut remaining = bytes;
        while let Some((piece, len)) = Piece::first(remaining, more) {
            if self.push(&piece).is_err() {
                break;
            }
            taken += len;
            remaining = remaining.get(len..).unwrap_or_default();
        }
        taken
    }

    pub(crate) fn as_str(&self) -> &str {
        let text = self.text.get(..self.len).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }

    /// Appends a whole piece, or nothing.
    fn push(&mut self, piece: &Piece<'_>) -> fmt::Result {
        let mut buffer = [0; Piece::MAX_LEN];
        let mut shown = Formatter::new(&mut buffer);
        write!(shown, "{piece}")?;
        let shown = core::str::from_utf8(shown.as_bytes()).map_err(|_| fmt::Error)?;
        let (end, kmsg) = (self.len + shown.len(), self.kmsg + kmsg_len(shown));
        if end > MAX_MESSAGE - RECORD_OVERHEAD || kmsg > MAX_KMSG - RECORD_OVERHEAD {
            return Err(fmt::Error);
        }
        let free = self.text.get_mut(self.len..end).ok_or(fmt::Error)?;
        free.copy_from_slice(shown.as_bytes());
        (self.len, self.kmsg) = (end, kmsg);
        Ok(())
    }
}

/// A part of the text that is shown as one.
enum Piece<'a> {
    Char(char),
    /// A control character, or a byte that is not part of a character.
    Bytes(&'a [u8]),
}

impl<'a> Piece<'a> {
    /// The length of the longest piece: a control character of two bytes, `\xc2\x80`.
    const MAX_LEN: usize = 8;

    /// Returns the first piece of `bytes`, and its length there.
    fn first(bytes: &'a [u8], more: bool) -> Option<(Self, usize)> {
        // The longest character has four bytes.
        let start = bytes.get(..4).unwrap_or(bytes);
        let len = match start.utf8_chunks().next()?.valid().chars().next() {
            Some(c) if !c.is_control() => return Some((Self::Char(c), c.len_utf8())),
            Some(control) => control.len_utf8(),
            None if more && is_begun(start) => return None,
            None => 1,
        };
        Some((Self::Bytes(bytes.get(..len)?), len))
    }
}

/// Returns whether the bytes are a character that ends too early.
fn is_begun(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
}

impl fmt::Display for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Char(c) => f.write_char(c),
            Self::Bytes(b"\n") => f.write_str("\\n"),
            Self::Bytes(b"\r") => f.write_str("\\r"),
            Self::Bytes(b"\t") => f.write_str("\\t"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|b| write!(f, "\\x{b:02x}")),
        }
    }
}
