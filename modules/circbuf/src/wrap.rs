// SPDX-License-Identifier: GPL-2.0-only

//! Copying to and from a ring of bytes, around its end.
//!
//! Nothing here depends on the kernel, so tests can run it anywhere. A start, and a length, must
//! not be larger than the ring.

/// Returns `len` bytes from `start` on: those up to the end of the ring, and the rest from its
/// beginning.
pub(crate) fn parts(ring: &[u8], start: usize, len: usize) -> [&[u8]; 2] {
    let end = ring.get(start..).unwrap_or_default();
    let head = end.get(..len).unwrap_or(end);
    [head, ring.get(..len - head.len()).unwrap_or(ring)]
}

/// Overwrites the ring with `new` from `start` on.
pub(crate) fn write(ring: &mut [u8], start: usize, new: &[u8]) {
    let end = ring.get_mut(start..).unwrap_or_default();
    let (head, tail) = new.split_at(new.len().min(end.len()));
    copy(end, head);
    copy(ring, tail);
}

/// Copies as many bytes as both sides have.
fn copy(to: &mut [u8], from: &[u8]) {
    let len = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..len), from.get(..len)) {
        to.copy_from_slice(from);
    }
}
