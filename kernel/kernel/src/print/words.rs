// SPDX-License-Identifier: GPL-2.0-only

//! Looks at the bytes of a text by eights.
//!
//! A test returns a word that is not 0 if a byte of its argument passes. Which bits are set may
//! depend on the bytes below one that passes, and does not matter.

/// The word in which each byte is 1.
const ONES: u64 = u64::MAX / 0xff;
/// The highest bit of each byte.
const HIGH: u64 = ONES << 7;

/// Returns how many bytes come before the first one that passes the test.
#[inline]
pub(super) fn count_until(text: &[u8], test: impl Fn(u64) -> u64) -> usize {
    let mut rest = text;
    while let Some((word, after)) = rest.split_first_chunk() {
        if test(u64::from_ne_bytes(*word)) != 0 {
            break;
        }
        rest = after;
    }
    // All bytes of this word are the same, so the test is about one of them.
    let passes = |byte: &u8| test(ONES * u64::from(*byte)) != 0;
    let left = rest.iter().position(passes).unwrap_or(rest.len());
    text.len() - rest.len() + left
}

/// Tests for bytes below `limit`, which is ASCII.
#[inline]
pub(super) fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH
}

/// Tests for bytes above `limit`, which is ASCII.
#[inline]
pub(super) fn above(word: u64, limit: u8) -> u64 {
    (word.wrapping_add(ONES * u64::from(0x7f - limit)) | word) & HIGH
}

/// Tests for bytes that are `byte`.
#[inline]
pub(super) fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}
