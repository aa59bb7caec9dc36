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

/// Writes a number in decimal to the end of `digits`, which has space for any `u64`, and returns
/// the digits.
#[inline]
pub(crate) fn decimal(number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut rest = number;
    let mut len = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        len += 1;
        if rest == 0 {
            break;
        }
    }
    digits.get(digits.len() - len..).unwrap_or_default()
}

impl<const N: usize> ArrayString<N> {
    /// Creates an empty string.
    #[inline]
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// Appends a number in decimal.
    ///
    /// This is smaller and faster than `write!`, which takes any type and any format.
    ///
    /// # Errors
    ///
    /// [`fmt::Error`] if the digits do not fit; nothing of them is appended.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{prelude::*, str::ArrayString};
    /// fn line(number: u64) -> Result<ArrayString<21>> {
    ///     let mut line = ArrayString::new();
    ///     line.push_decimal(number)?;
    ///     line.push_str("\n")?;
    ///     Ok(line)
    /// }
    /// ```
    pub fn push_decimal(&mut self, number: u64) -> fmt::Result {
        self.push(decimal(number, &mut [0; 20]))
    }

    /// Appends the last `DIGITS` digits of a number in decimal, with zeros in front if it has fewer.
    ///
    /// # Errors
    ///
    /// [`fmt::Error`] if the digits do not fit; nothing of them is appended.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{prelude::*, str::ArrayString};
    /// fn seconds(millis: u64) -> Result<ArrayString<24>> {
    ///     let mut text = ArrayString::new();
    ///     text.push_decimal(millis / 1000)?;
    ///     text.push_str(".")?;
    ///     text.push_digits::<3>(millis % 1000)?;
    ///     Ok(text)
    /// }
    /// ```
    pub fn push_digits<const DIGITS: usize>(&mut self, number: u64) -> fmt::Result {
        let mut digits = [b'0'; DIGITS];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.push(&digits)
    }

    /// Appends a text.
    ///
    /// # Errors
    ///
    /// [`fmt::Error`] if the text does not fit; nothing of it is appended.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut word = kernel::str::ArrayString::<4>::new();
    /// assert!(word.push_str("five5").is_err());
    /// assert!(word.push_str("four").is_ok());
    /// ```
    #[inline]
    pub fn push_str(&mut self, s: &str) -> fmt::Result {
        self.push(s.as_bytes())
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) -> fmt::Result {
        let free = self.bytes.get_mut(self.len..).unwrap_or_default();
        let free = free.get_mut(..bytes.len()).ok_or(fmt::Error)?;
        free.copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
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
    #[inline]
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.push_str(s)
    }
}
