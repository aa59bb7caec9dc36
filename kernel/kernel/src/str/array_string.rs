// SPDX-License-Identifier: GPL-2.0-only

//! Strings that need no allocation.

use core::fmt::{self, Write};

/// A string of at most `N` bytes, which are in the value itself.
///
/// A piece of text that does not fit is an error, and nothing of it is appended. (This type is not
/// upstream's.)
///
/// # Examples
///
/// ```
/// use kernel::{fmt::Write, prelude::*, str::ArrayString};
/// fn line(number: u64) -> Result<ArrayString<21>> {
///     let mut line = ArrayString::new();
///     writeln!(line, "{number}")?;
///     Ok(line)
/// }
/// ```
#[derive(Clone, Copy)]
pub struct ArrayString<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> ArrayString<N> {
    /// Creates an empty string.
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// Returns the text written so far.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl<const N: usize> Default for ArrayString<N> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> AsRef<[u8]> for ArrayString<N> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<const N: usize> Write for ArrayString<N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let free = self.bytes.get_mut(self.len..).unwrap_or_default();
        let free = free.get_mut(..s.len()).ok_or(fmt::Error)?;
        free.copy_from_slice(s.as_bytes());
        self.len += s.len();
        Ok(())
    }
}
