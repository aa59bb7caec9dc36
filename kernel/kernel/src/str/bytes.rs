// SPDX-License-Identifier: GPL-2.0-only

//! Bytes that are mostly text.

use core::fmt::{self, Write};
use core::ops::Deref;

/// Bytes that are mostly text, and that print as such.
///
/// Bytes that are not printable ASCII are escaped.
///
/// # Examples
///
/// ```
/// use kernel::str::BStr;
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_info!("got {}\n", BStr::from_bytes(b"ab\xff"));
/// # }
/// ```
#[repr(transparent)]
pub struct BStr([u8]);

impl BStr {
    /// Wraps bytes.
    #[inline]
    pub const fn from_bytes(bytes: &[u8]) -> &Self {
        // SAFETY: `BStr` is a transparent wrapper of `[u8]`, so a reference to one is a reference
        // to the other, with the same lifetime.
        unsafe { &*(core::ptr::from_ref(bytes) as *const BStr) }
    }

    /// Returns the number of bytes.
    #[inline]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no bytes.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for BStr {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Writes bytes with escapes for those that are not printable ASCII, and for quotation marks and
/// backslashes if they are `quoted`, in parts that are ASCII. Printable bytes that follow each
/// other are written at once.
pub(crate) fn escape_bytes(bytes: &[u8], quoted: bool, mut sink: impl FnMut(&[u8])) {
    let is_plain = |byte: u8| match byte {
        b'"' | b'\\' => !quoted,
        _ => matches!(byte, 0x20..=0x7e),
    };
    let digit = |n: u8| b"0123456789abcdef"[usize::from(n & 0xf)];
    let mut rest = bytes;
    loop {
        let plain = rest.iter().position(|&byte| !is_plain(byte));
        let (run, others) = rest
            .split_at_checked(plain.unwrap_or(rest.len()))
            .unwrap_or_default();
        sink(run);
        let Some((&byte, after)) = others.split_first() else {
            return;
        };
        rest = after;
        match byte {
            b'\t' => sink(b"\\t"),
            b'\n' => sink(b"\\n"),
            b'\r' => sink(b"\\r"),
            b'"' | b'\\' => sink(&[b'\\', byte]),
            _ => sink(&[b'\\', b'x', digit(byte >> 4), digit(byte)]),
        }
    }
}

/// Formats bytes as [`escape_bytes`] writes them.
fn format_escaped(f: &mut fmt::Formatter<'_>, bytes: &[u8], quoted: bool) -> fmt::Result {
    let mut result = Ok(());
    escape_bytes(bytes, quoted, |part| {
        // SAFETY: all parts are ASCII, which is UTF-8.
        let part = unsafe { core::str::from_utf8_unchecked(part) };
        result = result.and_then(|()| f.write_str(part));
    });
    result
}

impl crate::fmt::Display for BStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        format_escaped(f, self, false)
    }
}

impl fmt::Debug for BStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        format_escaped(f, self, true)?;
        f.write_char('"')
    }
}
