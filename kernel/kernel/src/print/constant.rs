// SPDX-License-Identifier: GPL-2.0-only

//! Messages that are complete when the module is compiled.

use super::{Level, MAX_MESSAGE};
use crate::bindings;

/// Returns whether a format string has no arguments and is short enough to be printed whole.
#[doc(hidden)]
pub const fn is_constant(prefix: &[u8], text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        // `{{` could be resolved here, but is rare. A NUL would end the message.
        if matches!(bytes[at], b'{' | b'}' | 0) {
            return false;
        }
        at += 1;
    }
    bytes.len() + prefix.len() + 2 < MAX_MESSAGE
}

/// A message as `printk` takes it: a format without conversions, with the level and the prefix.
///
/// # Invariants
///
/// The bytes end with a NUL, and each `%` is one of a pair `%%`.
#[doc(hidden)]
pub struct Constant<const N: usize>([u8; N]);

impl<const N: usize> Constant<N> {
    /// Returns the size of the value, or 1 if the text is not a constant.
    pub const fn size(level: Level, prefix: &[u8], text: &str) -> usize {
        Constant::<0>::fill(level, prefix, text, &mut [])
    }

    /// Creates the message. `N` must be its size.
    pub const fn new(level: Level, prefix: &[u8], text: &str) -> Self {
        let mut bytes = [0; N];
        let size = Constant::<0>::fill(level, prefix, text, &mut bytes);
        assert!(size == N, "the size is that of another message");
        // INVARIANT: `fill` doubles each `%`, and ends with the NUL.
        Self(bytes)
    }

    /// Writes the message as far as there is space, and returns how many bytes it has.
    const fn fill(level: Level, prefix: &[u8], text: &str, to: &mut [u8]) -> usize {
        if !is_constant(prefix, text) {
            return 1;
        }
        let [start, digit] = level.header();
        let mut end = put(to, 0, start);
        end = put(to, end, digit);
        if !matches!(level, Level::Cont) {
            let mut at = 0;
            while at < prefix.len() && prefix[at] != 0 {
                end = put(to, end, prefix[at]);
                at += 1;
            }
            end = put(to, end, b':');
            end = put(to, end, b' ');
        }
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            end = put(to, end, text[at]);
            at += 1;
        }
        put_raw(to, end, 0)
    }

    /// Creates one record.
    #[inline]
    pub fn print(&'static self) {
        // SAFETY: `printk()` takes a C string as its format, which the bytes are by the type's
        // invariant. As each `%` is doubled, it reads no further arguments.
        unsafe { bindings::koru_print(self.0.as_ptr(), 0, core::ptr::null()) }
    }
}

/// Puts a byte of the message, and returns where the next one belongs.
const fn put(to: &mut [u8], at: usize, byte: u8) -> usize {
    let end = put_raw(to, at, byte);
    if byte == b'%' {
        put_raw(to, end, byte)
    } else {
        end
    }
}

const fn put_raw(to: &mut [u8], at: usize, byte: u8) -> usize {
    if at < to.len() {
        to[at] = byte;
    }
    at + 1
}
