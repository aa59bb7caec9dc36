// SPDX-License-Identifier: GPL-2.0-only

//! The form in which the log shows what was written.

use core::fmt::{self, Write};
use kernel::print::{plain_len, MAX_KMSG, MAX_MESSAGE};

/// The part of a text that fits into one record, which is displayed in a form that forges nothing.
pub(crate) struct Shown<'a>(&'a [u8]);

impl<'a> Shown<'a> {
    /// Takes as much of `bytes` as fits, beside `overhead` bytes that the printer adds.
    ///
    /// A character is taken as a whole or not at all. `more` says that further bytes follow: a
    /// character whose first bytes are the last ones here is then left for the next call.
    pub(crate) fn new(bytes: &'a [u8], more: bool, overhead: usize) -> Self {
        let mut text = MAX_MESSAGE - overhead;
        // Readers of /dev/kmsg have a limit of their own.
        let mut kmsg = MAX_KMSG - overhead;
        let mut taken = 0;
        while let Some(piece) = Piece::first(bytes.get(taken..).unwrap_or_default()) {
            let len = match piece {
                // A part of it is taken if not all of it fits.
                Piece::Plain(run) => run.len().min(text).min(kmsg),
                Piece::Begun(_) if more => break,
                _ => piece.bytes().len(),
            };
            let (in_text, in_kmsg) = match piece {
                Piece::Plain(_) => (len, len),
                _ => piece.shown_len(),
            };
            if len == 0 || in_text > text || in_kmsg > kmsg {
                break;
            }
            text -= in_text;
            kmsg -= in_kmsg;
            taken += len;
        }
        Self(bytes.get(..taken).unwrap_or_default())
    }

    /// Returns the number of bytes that were taken.
    pub(crate) fn taken(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(piece) = Piece::first(rest) {
            rest = rest.get(piece.bytes().len()..).unwrap_or_default();
            match piece {
                Piece::Plain(text) | Piece::Other(text) => {
                    f.write_str(core::str::from_utf8(text).unwrap_or_default())?;
                }
                Piece::Escaped(bytes) | Piece::Begun(bytes) => {
                    bytes.iter().try_for_each(|byte| escape(f, *byte))?;
                }
            }
        }
        Ok(())
    }
}

fn escape(f: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
    match byte {
        b'\n' => f.write_str("\\n"),
        b'\r' => f.write_str("\\r"),
        b'\t' => f.write_str("\\t"),
        _ => {
            let digit = |n: u8| char::from(if n < 10 { b'0' + n } else { b'a' + n - 10 });
            f.write_str("\\x")?;
            f.write_char(digit(byte >> 4))?;
            f.write_char(digit(byte & 15))
        }
    }
}

/// A part of the text that is shown as one.
#[derive(Clone, Copy)]
enum Piece<'a> {
    /// Letters and other bytes that are one byte everywhere.
    Plain(&'a [u8]),
    /// Another character, which /dev/kmsg escapes byte by byte.
    Other(&'a [u8]),
    /// A control character, or a byte that is not part of a character.
    Escaped(&'a [u8]),
    /// The first byte of a character that ends too early.
    Begun(&'a [u8]),
}

impl<'a> Piece<'a> {
    /// Returns the first piece of `bytes`.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let run = plain_len(bytes);
        if run > 0 {
            return bytes.get(..run).map(Self::Plain);
        }
        let (first, only) = (*bytes.first()?, bytes.get(..1)?);
        let len = match first {
            b'\\' => return Some(Self::Other(only)),
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return Some(Self::Escaped(only)),
        };
        let start = bytes.get(..len).unwrap_or(bytes);
        Some(match core::str::from_utf8(start) {
            // In UTF-8 the control characters above DEL are these.
            Ok(_) if first == 0xc2 && start.get(1).is_some_and(|byte| *byte < 0xa0) => {
                Self::Escaped(start)
            }
            Ok(_) => Self::Other(start),
            Err(error) if error.error_len().is_none() => Self::Begun(only),
            Err(_) => Self::Escaped(only),
        })
    }

    fn bytes(self) -> &'a [u8] {
        let (Self::Plain(bytes) | Self::Other(bytes) | Self::Escaped(bytes) | Self::Begun(bytes)) =
            self;
        bytes
    }

    /// Returns how many bytes the piece has as it is shown, and in /dev/kmsg.
    fn shown_len(self) -> (usize, usize) {
        match self {
            Self::Plain(bytes) => (bytes.len(), bytes.len()),
            Self::Other(bytes) => (bytes.len(), 4 * bytes.len()),
            // A backslash is four bytes there.
            Self::Escaped(b"\n" | b"\r" | b"\t") => (2, 5),
            Self::Escaped(bytes) | Self::Begun(bytes) => (4 * bytes.len(), 7 * bytes.len()),
        }
    }
}
